"""Our decoders and encoders against TensorStore's: the same JSON for every structure, the same bytes when uncompressed."""

import base64
import pathlib
import random

import pytest
import tensorstore as ts
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "format_peer.mjs"
U64_MEMBERS = ("generation_number", "commit_time", "num_generations")

CONFIGS = [
    {"compression": compression, "max_inline_value_bytes": inline, "max_decoded_node_bytes": node, "version_tree_arity_log2": arity}
    for compression in (None, {"id": "zstd"})
    for inline, node, arity in [(0, 1, 1), (0, 1024, 4), (100, 300, 1), (4096, 65536, 2), (1048576, 8388608, 16)]
]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    side = NodePeer(SCRIPT, tmp_path_factory.mktemp("format"))
    yield side
    side.close()


def name_of(config):
    return "-".join(str(value) for value in config.values())


def encoded(data):
    return base64.b64encode(data).decode()


def random_entries(seed, count):
    source = random.Random(seed)
    keys = {source.randbytes(source.choice([0, 1, 2, 5, 30, 300])) for _ in range(count)}
    keys |= {b"8_8_40/%d-%d" % (i, i + 64) for i in range(count)}
    return {key: source.randbytes(source.choice([0, 1, 3, 90, 150, 5000])) for key in sorted(keys)}


def written_by_tensorstore(folder, config, versions):
    store = ts.KvStore.open({"driver": "ocdbt", "base": f"file://{folder}/", "config": config}).result()
    for seed in range(versions):
        with ts.Transaction(atomic=True) as transaction:
            view = store.with_transaction(transaction)
            for key, value in random_entries(seed, 25).items():
                view[key] = value
    return store.base


def parts(base):
    """Every structure: its bytes, its dump, the base path it was reached by."""
    manifest = ts.ocdbt.dump(base).result()
    yield base["manifest.ocdbt"], manifest, ""
    pending, seen = list(locations(manifest)), set()
    while pending:
        location = pending.pop()
        if location in seen:
            continue
        seen.add(location)
        _, base_path, path, offset, length = location.split(":")
        data = base[base_path + path][int(offset) : int(offset) + int(length)]
        dumped = ts.ocdbt.dump(base, location).result()
        pending.extend(locations(dumped))
        yield data, dumped, base_path


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


def native(value):
    """Our JSON as TensorStore's Python values."""
    if isinstance(value, list):
        return [native(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for name, item in value.items():
        if name.endswith("_base64"):
            result[name.removesuffix("_base64")] = base64.b64decode(item)
        elif name not in result:
            is_u64 = name in U64_MEMBERS or name in ("num_keys", "num_tree_bytes", "num_indirect_value_bytes")
            result[name] = int(item) if is_u64 else native(item)
    return result


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_every_structure_dumps_alike_and_encodes_to_the_same_bytes(ours, tmp_path, config):
    count = 0
    for data, dumped, base_path in parts(written_by_tensorstore(tmp_path, config, 7)):
        count += 1
        assert native(ours.call("dump", bytes=encoded(data), basePath=base_path)) == dumped
        again = base64.b64decode(ours.call("encodeAgain", bytes=encoded(data)))
        if config["compression"] is None:
            assert again == data
        else:
            assert native(ours.call("dump", bytes=encoded(again), basePath=base_path)) == dumped
    assert count > 7


@pytest.mark.parametrize("arity", [1, 2, 4])
def test_our_manifests_and_version_nodes_are_what_tensorstore_makes_of_their_dump(ours, tmp_path, arity):
    config = {"compression": None, "version_tree_arity_log2": arity}
    store = ts.KvStore.open({"driver": "ocdbt", "base": f"file://{tmp_path}/", "config": config}).result()
    for i in range(37):
        store[b"key"] = b"%d" % i
    manifest = ts.ocdbt.dump(store.base).result()
    heights = set()
    for data, _, base_path in parts(store.base):
        ours_says = native(ours.call("dump", bytes=encoded(data), basePath=base_path))
        if "versions" in ours_says:
            assert ts.ocdbt.undump_manifest(ours_says) == data
        elif "version_tree_arity_log2" in ours_says:
            heights.add(ours_says["height"])
            assert ts.ocdbt.undump_version_tree_node(manifest["config"], ours_says) == data
    assert len(heights) == {1: 5, 2: 3, 4: 2}[arity]


def build(ours, folder, config, entries):
    """A database of ours with one version."""
    file = "d/00112233445566778899aabbccddeeff"
    built = ours.call(
        "build",
        entries=[[encoded(key), encoded(value)] for key, value in entries.items()],
        file=file,
        config={
            "uuid": "00112233445566778899aabbccddeeff",
            "manifestKind": "single",
            "maxInlineValueBytes": config["max_inline_value_bytes"],
            "maxDecodedNodeBytes": config["max_decoded_node_bytes"],
            "versionTreeArityLog2": config["version_tree_arity_log2"],
            "compression": config["compression"] and {"id": "zstd", "level": 0},
        },
    )
    (folder / "d").mkdir(parents=True)
    (folder / "manifest.ocdbt").write_bytes(base64.b64decode(built["manifest"]))
    (folder / file).write_bytes(base64.b64decode(built["data"]))


def nodes_of(base):
    """Per node of the tree its height and its keys."""
    dumps = [dumped for _, dumped, _ in parts(base)]
    return sorted((d["height"], [e["key"] for e in d["entries"]]) for d in dumps if "height" in d and "entries" in d)


@pytest.mark.parametrize("node", [1, 100, 1024, 65536, 8388608])
@pytest.mark.parametrize("inline", [0, 100, 4096, 1048576])
def test_a_tree_is_parted_into_the_nodes_that_tensorstore_makes(ours, tmp_path, inline, node):
    config = {
        "compression": None,
        "max_inline_value_bytes": inline,
        "max_decoded_node_bytes": node,
        "version_tree_arity_log2": 4,
    }
    entries = {**random_entries(5, 150), b"z/large": bytes(300_000), b"z/larger": bytes(1_000_000), b"z/one": b"1"}
    entries = {key: entries[key] for key in sorted(entries)}
    build(ours, tmp_path / "ours", config, entries)
    theirs = {"driver": "ocdbt", "base": f"file://{tmp_path}/theirs/", "config": config}
    store = ts.KvStore.open(theirs).result()
    with ts.Transaction(atomic=True) as transaction:
        for key, value in entries.items():
            store.with_transaction(transaction)[key] = value
    mine = ts.KvStore.open({"driver": "ocdbt", "base": f"file://{tmp_path}/ours/"}).result()
    nodes = nodes_of(store.base)
    assert len(nodes) > len(entries) if node == 1 else nodes
    assert nodes_of(mine.base) == nodes


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_tensorstore_reads_and_extends_a_tree_of_ours(ours, tmp_path, config):
    entries = random_entries(3, 60)
    build(ours, tmp_path, config, entries)
    store = ts.KvStore.open({"driver": "ocdbt", "base": f"file://{tmp_path}/", "config": config}).result()
    assert sorted(store.list().result()) == sorted(entries)
    for key, value in entries.items():
        assert store[key] == value
    statistics = ts.ocdbt.dump(store.base).result()["versions"][0]["root"]["statistics"]
    assert statistics["num_keys"] == len(entries)
    store[b"one more"] = b"value"
    entries[b"one more"] = b"value"
    assert {key: store[key] for key in store.list().result()} == entries
