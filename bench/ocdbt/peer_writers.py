"""1 to 16 processes that commit to one database at once, each for itself or through TensorStore's coordinator."""

import json
import subprocess
import sys
from pathlib import Path

import tensorstore as ts
from peer_common import report

MOST = 16
COMMITS = 8
here = Path(__file__).parent


def run(folder):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    writers = [subprocess.Popen([sys.executable, here / "peer_writer.py"], **pipes) for _ in range(MOST)]
    for writer in writers:
        writer.stdout.readline()
    for limit, inline in (("4 KiB", 4096), ("1 MiB", 1 << 20)):
        for mode in ("direct", "coordinator"):
            for count in (1, 2, 4, 8, 16):
                name = f"{count} writers, {mode}, inline {limit}"
                together(name, folder / f"{inline}-{mode}-{count}", inline, mode == "coordinator", writers[:count])
    for writer in writers:
        writer.stdin.close()
        writer.wait()


def together(name, folder, inline, is_coordinated, writers):
    config = {"max_inline_value_bytes": inline, "max_decoded_node_bytes": 65536, "version_tree_arity_log2": 4}
    server = ts.ocdbt.DistributedCoordinatorServer() if is_coordinated else None
    address = {"address": f"localhost:{server.port}"} if server else {}
    for i, writer in enumerate(writers):
        asked = {"folder": str(folder), "name": f"w{i}", "commits": COMMITS, "config": config, **address}
        tell(writer, json.dumps(asked))
    for writer in writers:
        writer.stdout.readline()
    for writer in writers:
        tell(writer, "go")
    ends = [json.loads(writer.stdout.readline()) for writer in writers]
    orphans = json.loads(subprocess.check_output(["node", here / "orphans.mjs", folder]))
    seconds = (max(end["end"] for end in ends) - min(end["begin"] for end in ends)) / 1000
    times = sorted(time for end in ends for time in end["times"])
    report(f"{name}: commits", len(writers) * COMMITS / seconds, "1/s", "higher")
    report(f"{name}: p99", times[int(len(times) * 0.99)], "ms")
    report(f"{name}: orphan files", orphans["files"], "")
    report(f"{name}: orphan bytes", orphans["bytes"], "B")


def tell(writer, line):
    writer.stdin.write(f"{line}\n")
    writer.stdin.flush()
