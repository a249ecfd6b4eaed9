"""The same with TensorStore; `history` and parts of others are what it does not have."""

import importlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from peer_common import results

SECTIONS = ["reads", "writes", "amplification", "versions", "writers", "latency"]
named = sys.argv[1:]
folder = Path(tempfile.mkdtemp(prefix="pcg-bench-"))
try:
    for name in SECTIONS:
        if named and name not in named:
            continue
        place = folder / name
        place.mkdir()
        importlib.import_module(f"peer_{name}").run(place)
        shutil.rmtree(place)
finally:
    shutil.rmtree(folder)
print(json.dumps(results))
