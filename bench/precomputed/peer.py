"""Box reads and writes of a real segmentation with TensorStore and with cloud-volume."""

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import tensorstore as ts
from cloudvolume import CloudVolume

source = Path(__file__).resolve().parents[3] / "shared/data/segmentation"
info = json.loads((source / "info").read_text())
info["scales"] = info["scales"][:1]

TIMES = int(os.environ.get("PCG_BENCH_WORK", "1"))


def seconds(work):
    begin = time.perf_counter()
    for _ in range(TIMES):
        work()
    return (time.perf_counter() - begin) / TIMES


def tensorstore(path):
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{path}/"}, "scale_index": 0}
    return ts.open(spec, open=True, context=ts.Context({"cache_pool": {"total_bytes_limit": 0}})).result()


target = Path(tempfile.mkdtemp(prefix="pcg-bench-"))
try:
    store = tensorstore(source)
    labels = store.read(order="F").result()
    read_ts = seconds(lambda: store.read(order="F").result())
    into = ts.array(np.zeros_like(labels), copy=False)[ts.d[:].translate_to[store.domain.origin]]
    into.write(store).result()
    read_into_ts = seconds(lambda: into.write(store).result())
    volume = CloudVolume(f"file://{source}", progress=False, cache=False)
    volume[:]
    read_cv = seconds(lambda: volume[:])

    (target / "info").write_text(json.dumps(info))
    copy = tensorstore(target)
    copy.write(labels).result()
    write_ts = seconds(lambda: copy.write(labels).result())
    copy = CloudVolume(f"file://{target}", progress=False, cache=False, compress=False)
    copy[:] = np.asfortranarray(labels)
    write_cv = seconds(lambda: copy.__setitem__(slice(None), np.asfortranarray(labels)))
finally:
    shutil.rmtree(target)

rate = lambda t: {"value": labels.size / t / 1e6, "unit": "MVoxel/s", "better": "higher"}
print(
    json.dumps(
        {
            "read, beside TensorStore": rate(read_ts),
            "read, beside cloud-volume": rate(read_cv),
            "read into one array, beside TensorStore": rate(read_into_ts),
            "write, beside TensorStore": rate(write_ts),
            "write, beside cloud-volume": rate(write_cv),
        }
    )
)
