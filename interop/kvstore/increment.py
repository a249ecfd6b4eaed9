"""What increment.mjs does, by TensorStore: increment.py <spec> <key> <name> <times>."""

import json
import sys

import tensorstore as ts

spec, key, name, times = sys.argv[1:]
store = ts.KvStore.open(json.loads(spec)).result()
done = 0
while done < int(times):
    found = store.read(key).result()
    counts = json.loads(found.value) if found.state == "value" else {}
    counts[name] = counts.get(name, 0) + 1
    stamp = store.write(key, json.dumps(counts), if_equal=found.stamp.generation).result()
    if not stamp.generation:
        continue  # The condition failed.
    done += 1
    print(counts[name], flush=True)
