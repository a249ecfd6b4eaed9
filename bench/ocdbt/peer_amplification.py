"""Bytes that a commit of one key writes, data files and manifest; mean of 32."""

import hashlib
import json
from pathlib import Path

from peer_common import CONFIG, data_bytes, opened, put_all, report

EDITS = 32


def run(folder):
    cases = json.loads((Path(__file__).parent / "cases.json").read_text())
    for index, case in enumerate(cases):
        report(f"bytes per edit, {case['name']}", bytes_per_edit(folder / str(index), **case), "B")


def bytes_per_edit(place, name, keys, kind, value, edit=None, inline=None, node=None, atDefaults=False):
    config = {} if atDefaults else dict(CONFIG)
    if inline is not None:
        config["max_inline_value_bytes"] = inline
    if node is not None:
        config["max_decoded_node_bytes"] = node
    store = opened(place, sync=False, config=config)
    put_all(store, ((key_of(kind, i), content_of(value, i)) for i in range(keys)))
    before, manifests = data_bytes(place), 0
    for i in range(EDITS):
        store[key_of(kind, i * 7919 * 31 % keys)] = content_of(value, i + 10**6) if edit is None else f"{edit} {i}".encode()
        manifests += (place / "manifest.ocdbt").stat().st_size
    return (data_bytes(place) - before + manifests) / EDITS


def key_of(kind, i):
    if kind == "ordered":
        return b"key/%08d" % i
    if kind == "hashed":
        return hashlib.sha256(b"%d" % i).digest()[:16]
    x, y, z = i % 100 * 64, i // 100 % 100 * 64, i // 10_000 * 64
    return f"8_8_40/{x}-{x + 64}_{y}-{y + 64}_{z}-{z + 64}".encode()


def content_of(size, i):
    return hashlib.shake_128(b"%d" % i).digest(size)
