"""`python peer_writer.py FOLDER NAME COMMITS`: one process that commits batches of 8 values of 8 KiB: one to warm up, the others
once it reads a line."""

import json
import sys
import time

import tensorstore as ts

folder, name, commits = sys.argv[1:]
config = {"max_inline_value_bytes": 1024, "max_decoded_node_bytes": 65536, "version_tree_arity_log2": 4}
store = ts.KvStore.open({"driver": "ocdbt", "base": f"file://{folder}/", "config": config}).result()


def commit(i):
    with ts.Transaction(atomic=True) as transaction:
        view = store.with_transaction(transaction)
        for k in range(8):
            view[f"{name}/{i}/{k}"] = bytes([k]) * 8192


commit("warm")
print("ready", flush=True)
sys.stdin.readline()
begin = time.time()
for i in range(int(commits)):
    commit(i)
print(json.dumps({"begin": begin * 1000, "end": time.time() * 1000}), flush=True)
