"""Writes the OCDBT golden databases with TensorStore, and MANIFEST.json with what they hold.

python generate.py   (tensorstore 0.1.86)

Each case is a folder: the database as files, and `dump.json` with `ocdbt.dump` of its manifest and of every node (`large-frame`: none), byte
strings as `…_base64` and 64-bit numbers as strings. `contents` of MANIFEST.json is, per generation, the number of keys and
the sha256 of all `u32 length, key, u32 length, value` in key order. File names and times differ from run to run.
"""

import base64
import hashlib
import json
import pathlib
import shutil
import struct

import numpy as np
import tensorstore as ts

HERE = pathlib.Path(__file__).parent
CASES = {}
RAW = {"compression": None}
CONTEXT = ts.Context()


def open_case(path, config, **spec):
    return ts.KvStore.open(
        {"driver": "ocdbt", "base": f"file://{HERE / path}/", "config": config, **spec}, context=CONTEXT
    ).result()


def commit(store, changes):
    """One version: keys to values, None deletes."""
    with ts.Transaction(atomic=True) as transaction:
        view = store.with_transaction(transaction)
        for key, value in changes.items():
            if value is None:
                del view[key]
            else:
                view[key] = value


def is_text(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def spell(value, member=None):
    """A dump as JSON can hold it."""
    if isinstance(value, dict):
        result = {}
        for name, item in value.items():
            if isinstance(item, bytes):
                if is_text(item):
                    result[name] = item.decode("utf-8")
                result[name + "_base64"] = base64.b64encode(item).decode()
            else:
                result[name] = spell(item, name)
        return result
    if isinstance(value, list):
        return [spell(item) for item in value]
    if member and (member.startswith("num_") or member in ("generation_number", "commit_time")):
        return str(value)
    return value


def locations(value):
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "location":
                yield item
            else:
                yield from locations(item)
    elif isinstance(value, list):
        for item in value:
            yield from locations(item)


def dump_all(base):
    manifest = ts.ocdbt.dump(base).result()
    nodes = {}
    pending = list(locations(manifest))
    while pending:
        location = pending.pop()
        if location not in nodes:
            nodes[location] = ts.ocdbt.dump(base, location).result()
            pending.extend(locations(nodes[location]))
    return manifest, nodes


def generations(manifest, nodes):
    for dumped in [manifest["versions"], *(n["entries"] for n in nodes.values() if "version_tree_arity_log2" in n)]:
        for entry in dumped:
            if "root_height" in entry:
                yield entry["generation_number"]


def contents(path, generation):
    store = ts.KvStore.open(
        {"driver": "ocdbt", "base": f"file://{HERE / path}/", "version": generation}
    ).result()
    keys = sorted(store.list().result())
    digest = hashlib.sha256()
    for key in keys:
        value = store[key]
        digest.update(struct.pack("<I", len(key)) + key + struct.pack("<I", len(value)) + value)
    return {"keys": len(keys), "sha256": digest.hexdigest()}


def record(name, with_nodes=True):
    folder = HERE / name
    for lock in folder.rglob("*.__lock"):
        lock.unlink()
    base = ts.KvStore.open(f"file://{folder}/").result()
    manifest, nodes = dump_all(base)
    spelled = {location: spell(node) for location, node in nodes.items() if with_nodes}
    (folder / "dump.json").write_text(
        json.dumps({"manifest": spell(manifest), "nodes": spelled}, separators=(",", ":")) + "\n"
    )
    CASES[name] = {
        "contents": {str(g): contents(name, g) for g in sorted(set(generations(manifest, nodes)))},
        "files": {
            str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        },
    }


def random_keys(count, seed):
    random = np.random.default_rng(seed)
    return sorted({bytes(random.integers(0, 256, size=random.integers(0, 9), dtype=np.uint8)) for _ in range(count)})


def make_empty():
    store = open_case("empty", RAW)
    commit(store, {"a": b"1"})
    commit(store, {"a": None})
    record("empty")


def make_one_leaf():
    store = open_case("one-leaf", {**RAW, "max_inline_value_bytes": 4}, assume_config=True)
    commit(store, {"ab/1": b"xyz", "ab/2": b"twelve bytes", "ac": b""})
    record("one-leaf")


def make_deep():
    config = {**RAW, "max_inline_value_bytes": 6, "max_decoded_node_bytes": 400}
    store = open_case("deep", config)
    keys = random_keys(120, 1)
    commit(store, {key: bytes([i % 251]) * (i % 13) for i, key in enumerate(keys)})
    commit(store, {key: None if i % 2 else b"changed" for i, key in enumerate(keys[:20])})
    record("deep")


def make_deep_zstd():
    config = {"compression": {"id": "zstd", "level": 5}, "max_inline_value_bytes": 100, "max_decoded_node_bytes": 3000}
    store = open_case("deep-zstd", config, value_data_prefix="values/", btree_node_data_prefix="nodes/")
    commit(store, {f"8_8_40/{x}-{x + 64}_{y}-{y + 64}": b"%d," % x * (y % 60) for x in range(12) for y in range(12)})
    store.delete_range(ts.KvStore.KeyRange("8_8_40/3", "8_8_40/5")).result()
    record("deep-zstd")


def make_large_frame():
    store = open_case("large-frame", {"max_inline_value_bytes": 1000})
    commit(store, {f"node/{i:06}": b"" for i in range(12000)})
    record("large-frame", with_nodes=False)


def make_versions(name, config, count):
    store = open_case(name, {"max_inline_value_bytes": 100, **config})
    for i in range(count):
        commit(store, {f"key-{i % 7}": b"value %d" % i})
    record(name)


def make_numbered():
    store = open_case("numbered", {**RAW, "manifest_kind": "numbered", "version_tree_arity_log2": 1})
    for i in range(6):
        commit(store, {f"key-{i % 4}": b"value %d" % i})
    record("numbered")


def make_subtree_copy():
    child = open_case("subtree-copy/child", {**RAW, "max_inline_value_bytes": 0, "max_decoded_node_bytes": 300})
    commit(child, {f"k{i:02}": b"child %d" % i for i in range(20)})
    parent = open_case("subtree-copy", {**RAW, "max_inline_value_bytes": 0, "max_decoded_node_bytes": 300})
    commit(parent, {"own": b"parent"})
    child.experimental_copy_range_to(parent / "copied/").result()
    commit(parent, {"copied/k05": b"edited"})
    record("subtree-copy")


def main():
    for folder in HERE.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    make_empty()
    make_one_leaf()
    make_deep()
    make_deep_zstd()
    make_large_frame()
    make_versions("versions-arity-2", {**RAW, "version_tree_arity_log2": 1}, 21)
    make_versions("versions-arity-4-zstd", {"version_tree_arity_log2": 2}, 22)
    make_versions("versions-arity-16", {**RAW}, 34)
    make_numbered()
    make_subtree_copy()
    (HERE / "MANIFEST.json").write_text(
        json.dumps({"generator": "generate.py", "versions": {"tensorstore": "0.1.86"}, "cases": CASES}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
