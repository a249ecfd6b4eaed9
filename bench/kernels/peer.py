"""Measures the C++ peers of @pcg/kernels on the same arrays as ours.mjs and prints one JSON object with the same keys.

pip install numpy compressed-segmentation connected-components-3d
python bench/kernels/peer.py [path to shared/data]
"""
import json
import os
import statistics
import sys
import time

import cc3d
import compressed_segmentation as cseg
import numpy as np

SECONDS = 0.7
CHUNK = (64, 64, 64)
BLOCK = (8, 8, 8)
SIDE = 256

here = os.path.dirname(os.path.abspath(__file__))
data = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../../../shared/data")
folder = os.path.join(data, "segmentation", "8_8_40")


def corner(name):
    return [int(part.split("-")[0]) for part in name.split("_")]


names = os.listdir(folder)
low = np.min([corner(name) for name in names], axis=0)
chunks = []
volume = np.zeros((SIDE, SIDE, SIDE), dtype=np.uint64, order="F")
for name in names:
    x, y, z = np.array(corner(name)) - low
    if max(x, y, z) >= SIDE:
        continue
    with open(os.path.join(folder, name), "rb") as file:
        chunks.append(file.read())
    labels = cseg.decompress(chunks[-1], CHUNK, np.uint64, BLOCK, order="F")
    volume[x : x + 64, y : y + 64, z : z + 64] = labels.reshape(CHUNK)
decoded = [
    np.asfortranarray(cseg.decompress(chunk, CHUNK, np.uint64, BLOCK, order="F").reshape(CHUNK)) for chunk in chunks
]
components = cc3d.connected_components(volume, connectivity=6)
chunk_components = [cc3d.connected_components(labels, connectivity=6) for labels in decoded]


def each(run, items):
    for item in items:
        run(item)


metrics = {
    "decode_u64_64": lambda: each(lambda c: cseg.decompress(c, CHUNK, np.uint64, BLOCK, order="F"), chunks),
    "encode_u64_64": lambda: each(lambda a: cseg.compress(a, BLOCK, order="F"), decoded),
    "components6_u64_64": lambda: each(lambda a: cc3d.connected_components(a, connectivity=6), decoded),
    "components26_u64_64": lambda: each(lambda a: cc3d.connected_components(a, connectivity=26), decoded),
    "components6_u64_256": lambda: cc3d.connected_components(volume, connectivity=6),
    "components26_u64_256": lambda: cc3d.connected_components(volume, connectivity=26),
    "statistics_64": lambda: each(cc3d.statistics, chunk_components),
    "statistics_256": lambda: cc3d.statistics(components),
    "contacts_64": lambda: each(lambda a: cc3d.contacts(a, connectivity=6), chunk_components),
    "contacts_256": lambda: cc3d.contacts(components, connectivity=6),
}


def measure(run):
    run()
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS or len(times) < 3:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return round(SIDE**3 / statistics.median(times) / 1e6, 1)


rate = {name: {"value": measure(run), "unit": "MVoxel/s", "better": "higher"} for name, run in metrics.items()}
# The peers return new arrays each time, so they answer for both of our cases.
for name in list(rate):
    kernel, rest = name.split("_", 1)
    rate[f"{kernel}_fresh_{rest}"] = rate[name]
print(json.dumps(rate))
