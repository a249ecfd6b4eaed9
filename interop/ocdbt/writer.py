"""What writer.mjs does, by TensorStore: writer.py <spec> <writer> <first> <count>."""

import json
import sys

import tensorstore as ts

spec, writer, first, count = sys.argv[1:]
store = ts.KvStore.open(json.loads(spec)).result()
for i in range(int(first), int(first) + int(count)):
    store.write(f"{writer}/{i}", (b"%d " % i) * (i % 4 * 50)).result()
    store.write(f"{writer}/last", b"%d" % i).result()
    while True:
        found = store.read("counts").result()
        counts = json.loads(found.value) if found.state == "value" else {}
        counts[writer] = counts.get(writer, 0) + 1
        stamp = store.write("counts", json.dumps(counts), if_equal=found.stamp.generation).result()
        if stamp.generation:
            break
    print(i, flush=True)
