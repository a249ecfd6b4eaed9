"""What the sections share: keys, configuration, clocks, and the list of results."""

import time

import tensorstore as ts

CONFIG = {
    "max_inline_value_bytes": 100,
    "max_decoded_node_bytes": 65536,
    "version_tree_arity_log2": 4,
    "compression": {"id": "zstd", "level": 0},
}
KEYS = 100_000
VALUE_512 = bytes(i * 37 % 256 for i in range(512))
results = {}


def report(name, value, unit, better="lower"):
    results[name] = {"value": value, "unit": unit, "better": better}


def key(i):
    """Keys in an order that is not theirs."""
    return b"key/%08d" % (i * 7919 % KEYS)


def ms(work, times=1):
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000 / times


def best(work, times=1, runs=12):
    """The least of `runs` measurements, after one that warms up."""
    work()
    return min(ms(work, times) for _ in range(runs))


def opened(folder=None, sync=True, cache=128 << 20, base=None, context=None, **members):
    base = base or {"driver": "file", "path": f"{folder}/", "file_io_sync": sync}
    context = context or ts.Context({"cache_pool": {"total_bytes_limit": cache}})
    return ts.KvStore.open({"driver": "ocdbt", "base": base, **members}, context=context).result()


def put_all(store, entries):
    with ts.Transaction(atomic=True) as transaction:
        view = store.with_transaction(transaction)
        for key, value in entries:
            view[key] = value


def data_bytes(folder):
    return sum(file.stat().st_size for file in (folder / "d").iterdir())
