"""A process that commits batches of 8 values of 8 KiB, as writer.mjs does. With a coordinator they are not atomic, since then TensorStore
refuses atomic transactions of several keys."""

import json
import os
import sys
import time

import tensorstore as ts

print("up", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    spec = {"driver": "ocdbt", "base": f"file://{asked['folder']}/", "config": asked["config"]}
    address = asked.get("address")
    if address is not None:
        spec["coordinator"] = {"address": address}
    store = ts.KvStore.open(spec, context=ts.Context()).result()

    def commit(i):
        entries = {f"{asked['name']}/{i}/{k}": os.urandom(8192) for k in range(8)}
        if address is not None:
            for write in [store.write(key, value) for key, value in entries.items()]:
                write.result()
            return
        with ts.Transaction(atomic=True) as transaction:
            view = store.with_transaction(transaction)
            for key, value in entries.items():
                view[key] = value

    commit("warm")
    print("ready", flush=True)
    sys.stdin.readline()
    begin, times = time.time(), []
    for i in range(asked["commits"]):
        start = time.perf_counter()
        commit(i)
        times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"begin": begin * 1000, "end": time.time() * 1000, "times": times}), flush=True)
