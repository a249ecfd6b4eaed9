"""The same with TensorStore."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tensorstore as ts

CONFIG = {
    "max_inline_value_bytes": 100,
    "max_decoded_node_bytes": 65536,
    "version_tree_arity_log2": 4,
    "compression": {"id": "zstd", "level": 0},
}
KEYS = 100_000
VERSIONS = int(os.environ.get("PCG_BENCH_SIZE", "10000"))
here = Path(__file__).resolve().parent
folder = Path(tempfile.mkdtemp(prefix="pcg-bench-"))
place = folder / "db"
results = {}


def report(name, value, unit, better="lower"):
    results[name] = {"value": value, "unit": unit, "better": better}


def key(i):
    return b"key/%08d" % (i * 7919 % KEYS)


def ms(work, times=1):
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000 / times


def opened(sync=True, cache=128 << 20, base=None, context=None, **members):
    base = base or {"driver": "file", "path": f"{place}/", "file_io_sync": sync}
    context = context or ts.Context({"cache_pool": {"total_bytes_limit": cache}})
    return ts.KvStore.open({"driver": "ocdbt", "base": base, **members}, context=context).result()


def batch_and_reads():
    store = opened(config=CONFIG)
    value = bytes(i * 37 % 256 for i in range(512))

    def put():
        with ts.Transaction(atomic=True) as transaction:
            view = store.with_transaction(transaction)
            for i in range(KEYS):
                view[key(i)] = value

    report("batch put of 10^5 x 512 B", ms(put), "ms")
    with ts.Transaction(atomic=True) as transaction:
        view = store.with_transaction(transaction)
        for i in range(2000):
            view[key(i * 50)] = b"%d" % i

    # Generation 1 is the empty database that it makes first.
    pinned = opened(version=3)

    def serial(source, times, pick):
        def run():
            for i in range(times):
                source.read(key(pick(i))).result()

        return run

    serial(pinned, KEYS // 50, lambda i: i * 50 + 1)()
    store.list().result()
    serial(pinned, 2000, lambda i: i * 13)()
    report("warm read of 512 B, pinned", ms(serial(pinned, 10_000, lambda i: i * 13 + 1), 10_000) * 1000, "us")
    report("warm read inline, pinned", ms(serial(pinned, 10_000, lambda i: i % 2000 * 50), 10_000) * 1000, "us")
    report("warm read of 512 B, newest", ms(serial(store, 4000, lambda i: i * 13 + 1), 4000) * 1000, "us")

    def parallel():
        for read in [store.read(key(i * 17)) for i in range(2000)]:
            read.result()

    report("warm read of 512 B, 2000 at once", ms(parallel, 2000) * 1000, "us")
    report("list of 10^5 keys, warm", ms(lambda: store.list().result()), "ms")

    def lists():
        for i in range(10, 30):
            store.list(ts.KvStore.KeyRange(f"key/000{i}", f"key/000{i + 1}")).result()

    report("list of 1000 keys by prefix", ms(lists, 20), "ms")
    times = 50

    def cold():
        for i in range(times):
            opened().read(key(i * 101 + 7)).result()

    cold()
    report("open and read one key, cold", ms(cold, times), "ms")


def data_bytes():
    return sum(file.stat().st_size for file in (place / "d").iterdir())


def commits():
    def edit(store, times, each=lambda: None):
        for i in range(times):
            store[key(i * 31)] = b"small %d" % i
            each()

    store = opened()
    edit(store, 20)
    report("one-key commit, synced", ms(lambda: edit(store, 160), 160), "ms")
    before = data_bytes()
    manifests = []
    edit(store, 160, lambda: manifests.append((place / "manifest.ocdbt").stat().st_size))
    report("bytes per one-key commit", (data_bytes() - before + sum(manifests)) / 160, "B")
    store = opened(sync=False)
    edit(store, 20)
    report("one-key commit, not synced", ms(lambda: edit(store, 500), 500), "ms")


def versions():
    context = ts.Context({"cache_pool": {"total_bytes_limit": 0}})
    base = {"driver": "memory", "path": "db/"}
    store = opened(base=base, context=context, config=CONFIG)
    for i in range(VERSIONS):
        store["key"] = b"%d" % i
    times = 200

    def look_up():
        for i in range(times):
            opened(base=base, context=context, version=2 + i * 7919 % VERSIONS).read("key").result()

    look_up()
    report("look-up of a version, cold, in memory", ms(look_up, times), "ms")


def many_writers(writers):
    target = folder / f"writers-{writers}"
    rounds = 16
    children = [
        subprocess.Popen(
            [sys.executable, here / "peer_writer.py", target, f"w{i}", str(rounds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(writers)
    ]
    for child in children:
        child.stdout.readline()
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    ends = [json.loads(child.stdout.readline()) for child in children]
    for child in children:
        child.wait()
    seconds = (max(end["end"] for end in ends) - min(end["begin"] for end in ends)) / 1000
    orphans = json.loads(subprocess.check_output(["node", here / "orphans.mjs", target]))
    report(f"{writers} writers, commits", writers * rounds / seconds, "1/s", "higher")
    report(f"{writers} writers, orphan files", orphans["files"], "files")
    report(f"{writers} writers, orphan bytes", orphans["bytes"], "B")


try:
    batch_and_reads()
    commits()
    versions()
    for count in (1, 4, 16):
        many_writers(count)
finally:
    shutil.rmtree(folder)
print(json.dumps(results))
