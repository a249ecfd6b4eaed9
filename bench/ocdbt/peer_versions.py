"""The look-up of one version among many, in the same databases."""

import json
import subprocess
from pathlib import Path

import tensorstore as ts
from peer_common import best, opened, report

here = Path(__file__).parent


def run(folder):
    place = folder / "db"
    for exponent in (2, 3, 4, 5):
        command = ["node", here / "make-versions.mjs", place, str(10**exponent)]
        samples = json.loads(subprocess.check_output(command))
        for by in ("generation", "time"):
            versions = [sample[by] for sample in samples]

            def cold():
                for version in versions[:20]:
                    opened(place, version=version).read("key").result()

            report(f"version by {by} among 10^{exponent}, cold", best(cold, 20), "ms")
            context = ts.Context({"cache_pool": {"total_bytes_limit": 128 << 20}})

            def warm():
                for version in versions:
                    opened(place, context=context, version=version).read("key").result()

            report(f"version by {by} among 10^{exponent}, warm", best(warm, len(versions)), "ms")
