"""The same JSON of a kvstack, opened by TensorStore and by us, shows the same keys."""

import json
import random
import urllib.parse

import pytest
import tensorstore as ts

SEGMENTS = ["a", "ab", "b", "m", "ma", "é", "z"]


def random_key(rng):
    return "/".join(rng.choice(SEGMENTS) for _ in range(rng.randint(1, 3)))


def random_layer(rng, folders):
    path = f"{rng.choice(folders)}/{rng.choice(['', '', 'pre', 'in/'])}"
    base = {"driver": "file", "path": path}
    layer = {"base": base if rng.random() < 0.7 else f"file://{urllib.parse.quote(path)}"}
    kind = rng.choice(["all", "exact", "prefix", "prefix", "range", "range", "min", "max"])
    if kind == "exact":
        layer["exact"] = random_key(rng)
    elif kind == "prefix":
        layer["prefix"] = random_key(rng) + rng.choice(["", "/"])
    elif kind == "range":
        low, high = sorted((random_key(rng).encode(), random_key(rng).encode()))
        layer.update(inclusive_min=low.decode(), exclusive_max=high.decode())
    elif kind == "min":
        layer["inclusive_min"] = random_key(rng)
    elif kind == "max":
        layer["exclusive_max"] = random_key(rng)
    if rng.random() < 0.4:
        layer["strip_prefix"] = rng.randint(0, 4)
    return layer


def random_spec(rng, root):
    folders = [str(root / f"layer {i}") for i in range(4)]
    return {"driver": "kvstack", "layers": [random_layer(rng, folders) for _ in range(rng.randint(1, 6))]}


def outcome(call):
    """A value, None for absent, or that it was refused; the texts of refusals differ."""
    try:
        return call()
    except Exception:
        return "refused"


class Theirs:
    def __init__(self, spec):
        self.store = ts.KvStore.open(spec).result()

    def read(self, key):
        found = self.store.read(key).result()
        return found.value if found.state == "value" else None

    def write(self, key, value):
        self.store.write(key, value).result()

    def list(self, start, end):
        return sorted(self.store.list(ts.KvStore.KeyRange(start, end)).result())

    def delete_range(self, start, end):
        self.store.delete_range(ts.KvStore.KeyRange(start, end)).result()


@pytest.mark.parametrize("seed", range(80))
def test_random_stacks_read_and_list_the_same(ours, our_error, tmp_path, seed):
    rng = random.Random(seed)
    spec = random_spec(rng, tmp_path)
    if outcome(lambda: Theirs(spec)) == "refused":
        with pytest.raises(our_error) as refusal:
            ours.spec(spec)
        assert refusal.value.code == "bad-spec"
        for layer in spec["layers"]:
            layer.pop("strip_prefix", None)
    published = ours.spec(spec)
    peers = [Theirs(published)]
    # TensorStore 0.1.86 misreads a layer that begins in a gap behind another; our JSON for such a stack is another, for the same keys.
    if [selector(layer) for layer in published["layers"]] == [selector(layer) for layer in spec["layers"]]:
        peers.append(Theirs(spec))
    theirs = peers[-1]
    keys = [random_key(rng).encode() for _ in range(25)] + [b"m/\xff\x01", b"b\xfe"]
    for number, key in enumerate(keys):
        value = b"%d" % number
        outcome(lambda: ours.write(spec, key, value) if number % 2 else theirs.write(key, value))
    present = set()
    for key in keys:
        mine = outcome(lambda: ours.read(spec, key))
        for peer in peers:
            assert outcome(lambda: peer.read(key)) == mine, (key, spec)
        if isinstance(mine, bytes):
            present.add(key)
    assert [key for key in ours.list(spec) if key in keys] == sorted(present)
    for start, end in [(b"", b"")] + [tuple(sorted(rng.sample(keys, 2))) for _ in range(6)]:
        listed = ours.list(spec, start, end)
        if start != end or not start:
            assert [key for key in listed if key in keys] == sorted(k for k in present if start <= k and (not end or k < end))
        for peer in peers:
            # TensorStore refuses to list where the end of a range, mapped to a file, has an empty part.
            assert outcome(lambda: peer.list(start, end)) in (listed, "refused"), (start, end, spec)
    start, end = sorted(rng.sample(keys, 2))
    if outcome(lambda: ours.delete_range(spec, start, end) if seed % 2 else theirs.delete_range(start, end)) != "refused":
        left = set(ours.list(spec)) & set(keys)
        # Layers may share a folder, so that a deletion in one shows in another.
        assert left <= {key for key in present if not start <= key < end}
        shared = len({urllib.parse.unquote(str(layer["base"])).split("layer ")[1][0] for layer in spec["layers"]}) < len(spec["layers"])
        assert shared or left == {key for key in present if not start <= key < end}


def selector(layer):
    strip = {"strip_prefix": layer["strip_prefix"]} if "strip_prefix" in layer else {}
    return {name: layer[name] for name in ("exact", "prefix", "inclusive_min", "exclusive_max") if name in layer} | strip


def test_a_layer_in_a_gap_behind_another_is_published_so_that_tensorstore_reads_it(ours, tmp_path):
    layers = [{"base": f"file://{tmp_path}/{name}", "prefix": f"{name}/"} for name in ("a", "m", "z")]
    spec = {"driver": "kvstack", "layers": layers}
    ours.write(spec, b"m/x", b"1")
    published = ours.spec(spec)
    assert [layer["prefix"] for layer in published["layers"]] == ["z/", "m/", "a/"]
    theirs = Theirs(published)
    theirs.write(b"a/y", b"2")
    assert theirs.list(b"", b"") == ours.list(spec) == [b"a/y", b"m/x"]
    assert theirs.read(b"abc") is None
    with pytest.raises(ValueError, match="not found in any layers"):
        theirs.write(b"abc", b"3")


FOLDER = "file:///nowhere/"

REFUSED = [
    {"driver": "kvstack"},
    {"driver": "kvstack", "layers": 1},
    {"driver": "kvstack", "layers": [{}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "other": 1}]},
    {"driver": "kvstack", "layers": [], "other": 1},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": 5}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": None}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "a", "exact": "a"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "a", "inclusive_min": "a"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "a", "exclusive_max": "b"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "exact": "a", "exclusive_max": "b"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "inclusive_min": "b", "exclusive_max": "a"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "strip_prefix": 1}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "abc", "strip_prefix": 4}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "abc", "strip_prefix": -1}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "exact": "abc", "strip_prefix": 4}]},
    {"driver": "kvstack", "layers": [{"base": {"path": "x"}}]},
    {"driver": "file", "path": "/nowhere/", "other": 1},
    {"driver": "file", "path": "/nowhere/", "file_io_locking": {"mode": "other"}},
    {"driver": "file", "path": 1},
    {"driver": "memory", "other": 1},
]

ACCEPTED = [
    {"driver": "kvstack", "layers": []},
    {"driver": "kvstack", "layers": [{"base": FOLDER}], "path": "below/"},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": ""}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "exact": ""}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "inclusive_min": "", "exclusive_max": ""}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "inclusive_min": "a", "exclusive_max": "a"}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "inclusive_min": "abc/a", "exclusive_max": "abc/b", "strip_prefix": 5}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "prefix": "abc", "strip_prefix": 1}]},
    {"driver": "kvstack", "layers": [{"base": FOLDER, "exact": "abc", "strip_prefix": 0}]},
    {"driver": "file", "path": "/nowhere/x", "file_io_sync": False, "file_io_locking": {"mode": "lockfile"}},
    {"driver": "file", "path": "/nowhere/", "file_io_concurrency": {"limit": 3}},
]


@pytest.mark.parametrize("spec", REFUSED, ids=json.dumps)
def test_both_refuse(ours, our_error, spec):
    with pytest.raises(ValueError):
        ts.KvStore.open(spec).result()
    with pytest.raises(our_error) as refusal:
        ours.spec(spec)
    assert refusal.value.code == "bad-spec"


@pytest.mark.parametrize("spec", ACCEPTED, ids=json.dumps)
def test_both_accept(ours, spec):
    ts.KvStore.open(spec).result()
    ts.KvStore.open(ours.spec(spec)).result()


def test_a_key_of_no_layer_is_absent_and_cannot_be_written(ours, our_error, tmp_path):
    spec = {"driver": "kvstack", "layers": [{"base": f"file://{tmp_path}/", "prefix": "m/"}]}
    theirs = Theirs(spec)
    assert ours.read(spec, b"q") is None
    assert theirs.read(b"q") is None
    for value in (b"x", None):
        with pytest.raises(our_error):
            ours.write(spec, b"q", value)
        with pytest.raises(ValueError):
            theirs.write(b"q", value)
