"""Reads and lists among 10^5 keys, warm and cold."""

import tensorstore as ts
from peer_common import CONFIG, KEYS, VALUE_512, best, key, opened, put_all, report


def run(folder):
    place = folder / "db"
    store = opened(place, sync=False, config=CONFIG)
    put_all(store, ((key(i), VALUE_512) for i in range(KEYS)))
    put_all(store, ((key(i * 50), b"%d" % i) for i in range(2000)))
    for name, size in (("4k", 4096), ("64k", 65536)):
        put_all(store, (("%s/%d" % (name, i), b"\7" * size) for i in range(200)))

    # Generation 1 is the empty database that it makes first.
    pinned = opened(place, version=5)

    def per_read(name, source, times, pick, **options):
        def serial():
            for i in range(times):
                source.read(pick(i), **options).result()

        report(name, best(serial, times) * 1000, "us")

    for i in range(KEYS // 50):
        pinned.read(key(i * 50 + 1)).result()
    store.list().result()
    per_read("warm read of 512 B, pinned", pinned, 500, lambda i: key(i * 13 + 1))
    per_read("warm read inline, pinned", pinned, 500, lambda i: key(i * 50))
    per_read("warm read of 4 KiB, pinned", pinned, 200, lambda i: b"4k/%d" % i)
    per_read("warm read of 64 KiB, pinned", pinned, 200, lambda i: b"64k/%d" % i)
    per_read("warm read of 512 B, newest", store, 500, lambda i: key(i * 13 + 1))

    def parallel():
        for read in [store.read(key(i * 17 + 1)) for i in range(2000)]:
            read.result()

    report("warm read of 512 B, 2000 at once", best(parallel, 2000) * 1000, "us")
    report("list of 10^5 keys, warm", best(lambda: store.list().result()), "ms")

    def lists():
        for i in range(10, 30):
            store.list(ts.KvStore.KeyRange(f"key/000{i}", f"key/000{i + 1}")).result()

    report("list of 1000 keys by prefix", best(lists, 20), "ms")
    numbers = iter(range(10**6))

    def cold():
        for _ in range(20):
            opened(place).read(key(next(numbers) * 101 + 7)).result()

    report("open and read one key, cold", best(cold, 20), "ms")
    report("open and list 10^5 keys, cold", best(lambda: opened(place).list().result()), "ms")
