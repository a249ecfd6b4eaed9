"""Forks, restores, merges and the gateway: TensorStore opens, reads and extends what we made, and we what it wrote."""

import json
import pathlib
import urllib.request

import pytest
import tensorstore as ts
from node_peer import NodePeer, OurError

TINY = {"max_inline_value_bytes": 4, "max_decoded_node_bytes": 300, "version_tree_arity_log2": 1, "compression": None}
CONFIGS = {
    "tiny": TINY,
    "arity 16": {**TINY, "version_tree_arity_log2": 4},
    "zstd": {**TINY, "compression": {"id": "zstd"}},
    "all inline": {"max_inline_value_bytes": 1000, "max_decoded_node_bytes": 0, "version_tree_arity_log2": 2},
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    side = NodePeer(pathlib.Path(__file__).parent / "forks_peer.mjs", tmp_path_factory.mktemp("forks"))
    yield side
    side.close()


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def base(request, ours, tmp_path):
    """A database with 21 versions or more, written in turn by both."""
    folder = f"{tmp_path}/base/"
    ours.call("create", base=folder, config=request.param)
    theirs = opened(plain(folder))
    for i in range(10):
        ours.call("apply", base=folder, entries={f"k{i % 7}": f"a longer value {i}", "s": f"{i}", **filler(i)})
        write(theirs, {f"k{i % 5}": f"of TensorStore {i}", f"t{i}": "t"})
    return folder


def filler(i):
    return {f"x/{i}/{j}": f"value {i} {j}" for j in range(10)}


def plain(folder, **rest):
    return {"driver": "ocdbt", "base": {"driver": "file", "path": folder}, **rest}


def opened(spec):
    return ts.KvStore.open(spec, context=ts.Context({"cache_pool": {"total_bytes_limit": 0}})).result()


def contents(spec):
    store = opened(spec)
    return {key.decode(): store.read(key).result().value.decode() for key in store.list().result()}


def write(store, entries):
    with ts.Transaction(atomic=True) as transaction:
        for key, value in entries.items():
            kept = store.with_transaction(transaction)
            if value is None:
                del kept[key]
            else:
                kept[key] = value


def versions_of(ours, **where):
    return {int(n): state for n, state in ours.call("history", **where).items()}


@pytest.mark.parametrize("place", ["inside", "elsewhere"])
def test_tensorstore_opens_forks_by_the_published_spec(ours, base, tmp_path, place):
    own = {} if place == "inside" else {"folder": f"{tmp_path}/fork/"}
    history = versions_of(ours, base=base)
    newest = max(history)
    ours.call("fork", base=base, fork="g7", **own)
    before = contents(plain(base))
    spec = json.loads(json.dumps(ours.call("spec", base=base, fork="g7", **own)))
    assert contents(spec) == before

    ours.call("apply", base=base, fork="g7", entries={"k1": "of our fork", "x/3/3": None, **own_filler("ours")}, **own)
    ours.call("apply", base=base, entries={"k1": "of the base"})
    expected = {**before, "k1": "of our fork", **own_filler("ours")}
    del expected["x/3/3"]
    assert contents(spec) == expected
    for generation, state in history.items():
        assert contents({**spec, "version": generation}) == state
    assert contents(plain(base)) == {**before, "k1": "of the base"}

    theirs = opened(spec)
    for i in range(5):
        write(theirs, {"k2": f"of TensorStore's fork {i}", f"new{i}": "n", "x/4/4": None})
    expected |= {"k2": "of TensorStore's fork 4", **{f"new{i}": "n" for i in range(5)}}
    del expected["x/4/4"]
    assert ours.call("contents", base=base, fork="g7", **own) == expected
    assert ours.call("generations", base=base, fork="g7", **own) == list(range(1, newest + 7))
    ours.call("apply", base=base, fork="g7", entries={"k3": "of our fork"}, **own)
    expected["k3"] = "of our fork"
    assert contents(spec) == expected
    assert ours.call("contents", base=base) == {**before, "k1": "of the base"}
    assert contents({**spec, "version": newest}) == before


def own_filler(who):
    return {f"{who}/{i}": f"value {i} of {who}" for i in range(40)}


def test_tensorstore_opens_forks_at_any_version_and_grows_them(ours, base):
    history = versions_of(ours, base=base)
    for at in [1, 2, 3, 8, 15, 16, 17, 20]:
        ours.call("fork", base=base, fork=f"f{at}", version=at)
        spec = ours.call("spec", base=base, fork=f"f{at}")
        assert contents(spec) == history[at]
        for generation in range(1, at + 1):
            assert contents({**spec, "version": generation}) == history[generation]
        with pytest.raises(ValueError, match="NOT_FOUND"):
            contents({**spec, "version": at + 1})
        theirs = opened(spec)
        for i in range(6):
            write(theirs, {"grown": str(i)})
        assert contents({**spec, "version": at + 3}) == {**history[at], "grown": "2"}
        assert versions_of(ours, base=base, fork=f"f{at}") == {
            **{n: history[n] for n in range(1, at + 1)},
            **{at + 1 + i: {**history[at], "grown": str(i)} for i in range(6)},
        }
    assert versions_of(ours, base=base) == history


def test_tensorstore_opens_forks_at_what_expiry_has_left(ours, base):
    history = versions_of(ours, base=base)
    for generation in [2, 7, 8, 13]:
        ours.call("tag", base=base, name=f"t{generation}", version=generation)
    ours.call("expire", base=base, keepLast=4)
    kept = ours.call("generations", base=base)
    assert {2, 7, 8, 13} < set(kept) < set(history)
    for at in kept[::2]:
        ours.call("fork", base=base, fork=f"f{at}", version=at)
        spec = ours.call("spec", base=base, fork=f"f{at}")
        for generation in kept[: kept.index(at) + 1]:
            assert contents({**spec, "version": generation}) == history[generation]
        theirs = opened(spec)
        for i in range(5):
            write(theirs, {"grown": str(i)})
        assert ours.call("contents", base=base, fork=f"f{at}") == {**history[at], "grown": "4"}
        assert ours.call("fsck", base=base, fork=f"f{at}")


def test_a_fork_has_a_configuration_of_its_own_that_tensorstore_honours(ours, base):
    config = {"max_inline_value_bytes": 0, "max_decoded_node_bytes": 5000}
    ours.call("fork", base=base, fork="c", config=config)
    spec = ours.call("spec", base=base, fork="c")
    assert contents({**spec, "config": config}) == contents(plain(base))
    with pytest.raises(ValueError, match="FAILED_PRECONDITION"):
        contents({**spec, "config": {"max_inline_value_bytes": 77}})


def test_tensorstore_opens_a_fork_of_a_fork(ours, base, tmp_path):
    before = contents(plain(base))
    ours.call("fork", base=base, fork="one")
    one = ours.call("spec", base=base, fork="one")
    write(opened(one), {"k1": "of one, by TensorStore"})
    assert contents(one) == {**before, "k1": "of one, by TensorStore"}
    assert contents(plain(base)) == before


def test_a_missing_fork_is_told_in_words(ours, base):
    with pytest.raises(OurError, match="not-found: there is no fork none"):
        ours.call("spec", base=base, fork="none")


def test_a_numbered_base_is_not_forked(ours, tmp_path):
    folder = f"{tmp_path}/numbered/"
    write(opened(plain(folder, config={"manifest_kind": "numbered"})), {"a": "1"})
    with pytest.raises(OurError, match="unsupported"):
        ours.call("fork", base=folder, fork="f")


@pytest.mark.parametrize("place", ["inside", "elsewhere"])
def test_tensorstore_reads_and_extends_a_base_after_merges(ours, base, tmp_path, place):
    own = {} if place == "inside" else {"folder": f"{tmp_path}/fork/"}
    expected = contents(plain(base))
    ours.call("fork", base=base, fork="m", **own)
    spec = ours.call("spec", base=base, fork="m", **own)
    write(opened(spec), {"k1": "of the fork, by TensorStore", "x/1/1": None, **own_filler("theirs")})
    ours.call("apply", base=base, fork="m", entries={"k2": "of the fork, by us"}, **own)
    write(opened(plain(base)), {"k3": "of the base"})
    assert ours.call("merge", base=base, fork="m", **own) == {"merged": True, "keys": 43, "conflicts": []}
    expected |= {
        "k1": "of the fork, by TensorStore",
        "k2": "of the fork, by us",
        "k3": "of the base",
        **own_filler("theirs"),
    }
    del expected["x/1/1"]
    assert contents(plain(base)) == expected
    write(opened(plain(base)), {"k4": "after", "theirs/7": None})
    expected["k4"] = "after"
    del expected["theirs/7"]
    assert contents(plain(base)) == expected == ours.call("contents", base=base)

    assert ours.call("update", base=base, fork="m", **own)["merged"]
    assert contents(spec) == expected
    write(opened(spec), {"k5": "later, of the fork"})
    write(opened(plain(base)), {"k5": "later, of the base"})
    assert ours.call("merge", base=base, fork="m", **own) == {"merged": False, "keys": 0, "conflicts": ["k5"]}
    assert ours.call("merge", base=base, fork="m", onConflict="theirs", **own)["merged"]
    assert contents(plain(base)) == {**expected, "k5": "later, of the fork"}
    for where in ({"base": base}, {"base": base, "fork": "m", **own}):
        assert ours.call("fsck", **where)


def test_tensorstore_reads_and_extends_restored_databases(ours, base):
    history = versions_of(ours, base=base)
    newest = max(history)
    ours.call("restore", base=base, version=9)
    assert contents(plain(base)) == history[9]
    write(opened(plain(base)), {"after": "restored"})
    assert contents(plain(base)) == {**history[9], "after": "restored"}
    ours.call("restore", base=base, version=newest, prefix="x/")
    rest = {key: value for key, value in history[9].items() if not key.startswith("x/")}
    part = {key: value for key, value in history[newest].items() if key.startswith("x/")}
    assert contents(plain(base)) == {**rest, **part, "after": "restored"}
    write(opened(plain(base)), {"x/1/1": None, "k1": "on and on"})
    final = {**rest, **part, "after": "restored", "k1": "on and on"}
    del final["x/1/1"]
    assert contents(plain(base)) == final == ours.call("contents", base=base)
    for generation, state in history.items():
        assert contents(plain(base, version=generation)) == state
    assert ours.call("fsck", base=base)


def http(url, **rest):
    """Over HTTP nothing can be listed, so the keys are asked of the ocdbt driver."""
    return {"driver": "ocdbt", "base": {"driver": "http", "base_url": url}, **rest}


def test_tensorstore_opens_gateway_folders_over_http(ours, base):
    history = versions_of(ours, base=base)
    ours.call("tag", base=base, name="ten", version=10)
    url = ours.call("serve", base=base)
    newest = max(history)
    assert contents(http(f"{url}head/ocdbt/")) == history[newest]
    assert contents(http(f"{url}head/ocdbt/", version=5)) == history[5]
    for version, generation in [("ten", 10), ("v1", 1), ("v16", 16), ("v17", 17)]:
        assert contents(http(f"{url}{version}/ocdbt/")) == history[generation]
        with pytest.raises(ValueError, match="NOT_FOUND"):
            contents(http(f"{url}{version}/ocdbt/", version=generation + 1))
    # A version that is not there is no empty database.
    for version, told in [("v999", "there is no version v999"), ("tenn", "tags here are ten")]:
        with pytest.raises(ValueError, match=told):
            contents(http(f"{url}{version}/ocdbt/"))
        with pytest.raises(ValueError, match=told):
            opened({"driver": "http", "base_url": f"{url}{version}/files/"}).read("k1").result()
    write(opened(plain(base)), {"k1": "newer"})
    assert contents(http(f"{url}head/ocdbt/")) == {**history[newest], "k1": "newer"}
    assert contents(http(f"{url}ten/ocdbt/")) == history[10]


def test_tensorstore_opens_forks_and_numbered_databases_over_http(ours, base, tmp_path):
    ours.call("fork", base=base, fork="f", version=12)
    write(opened(ours.call("spec", base=base, fork="f")), {"k1": "of the fork"})
    url = ours.call("serve", base=base, fork="f")
    assert contents(http(f"{url}head/ocdbt/")) == ours.call("contents", base=base, fork="f")
    assert contents(http(f"{url}v12/ocdbt/")) == ours.call("contents", base=base, version=12)
    numbered = f"{tmp_path}/numbered/"
    theirs = opened(plain(numbered, config={"manifest_kind": "numbered"}))
    for i in range(20):
        write(theirs, {"a": f"a longer value {i}", f"k{i}": "k"})
    url = ours.call("serve", base=numbered)
    assert contents(http(f"{url}head/ocdbt/")) == contents(plain(numbered))


def test_plain_files_of_a_version_are_read_by_tensorstores_http_driver(ours, base):
    history = versions_of(ours, base=base)
    url = ours.call("serve", base=base)
    store = opened({"driver": "http", "base_url": f"{url}v14/files/"})
    for key, value in list(history[14].items())[:40]:
        assert store.read(key).result().value.decode() == value
    assert store.read("none").result().state == "missing"
    key = "k1"
    found = store.read(key, if_not_equal=store.read(key).result().stamp.generation).result()
    assert found.state == "unspecified"
    with urllib.request.urlopen(f"{url}v14/files/x/1/") as response:
        listed = json.load(response)
    inside = [key for key in history[14] if key.startswith("x/1/")]
    assert [f"x/1/{entry['name']}" for entry in listed["files"]] == sorted(inside)
