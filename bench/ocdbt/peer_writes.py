"""Batches and commits of one key, on 10^5 keys."""

from peer_common import CONFIG, KEYS, VALUE_512, best, key, opened, put_all, report


def run(folder):
    made = iter(range(10**6))
    for exponent in (2, 3, 4, 5):

        def batch():
            store = opened(folder / str(next(made)), config=CONFIG)
            put_all(store, ((key(i), VALUE_512) for i in range(10**exponent)))

        report(f"batch put of 10^{exponent} x 512 B", best(batch, 1, 12 if exponent < 5 else 3), "ms")

    place = folder / "db"
    put_all(opened(place, config=CONFIG), ((key(i), VALUE_512) for i in range(KEYS)))
    numbers = iter(range(10**6))

    def edits(store, times, pick):
        def run():
            for _ in range(times):
                i = next(numbers)
                store[key(pick(i))] = b"small %d" % i

        return run

    report("one-key commit, synced", best(edits(opened(place), 16, lambda i: i * 31), 16), "ms")
    store = opened(place, sync=False)
    report("one-key commit, not synced", best(edits(store, 16, lambda i: i * 31), 16), "ms")
    report("commit of the same key, not synced", best(edits(store, 16, lambda i: 1), 16), "ms")

    def together():
        for write in [store.write(key(i * 97), b"%d" % next(numbers)) for i in range(64)]:
            write.result()

    report("64 writes at once, not synced", best(together), "ms")
