"""Reads of a database far away; TensorStore writes to no store of ours that is slow on purpose."""

import json
import subprocess
from pathlib import Path

from peer_common import key, ms, opened, report

here = Path(__file__).parent


def run(folder):
    for delay in (10, 50, 100):
        command = ["node", here / "far.mjs", folder / "db", str(delay)]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        base = {"driver": "http", "base_url": server.stdout.readline().strip()}

        def asked():
            server.stdin.write("\n")
            server.stdin.flush()
            return json.loads(server.stdout.readline())

        def cold(name, use):
            asked()
            took = ms(lambda: use(opened(base=base)))
            counts = asked()
            name = f"{name}, {delay} ms away"
            report(name, took, "ms")
            report(f"{name}: requests", counts["requests"], "")
            report(f"{name}: depth", counts["depth"], "")

        def hundred(store):
            for read in [store.read(key(i * 997)) for i in range(100)]:
                read.result()

        cold("open and read one key", lambda store: store.read(key(777)).result())
        cold("open and read 100 keys", hundred)
        cold("open and list 10^5 keys", lambda store: store.list().result())
        server.stdin.close()
        server.wait()
