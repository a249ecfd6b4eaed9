"""Neuroglancer's reader opens databases, forks, merges and pinned versions through the gateway."""

import pathlib

import pytest
import tensorstore as ts
from node_peer import NodePeer, OurError

HERE = pathlib.Path(__file__).parent
CONFIGS = {
    "tiny": {"max_inline_value_bytes": 4, "max_decoded_node_bytes": 300, "version_tree_arity_log2": 1, "compression": None},
    "zstd": {"max_inline_value_bytes": 4, "max_decoded_node_bytes": 2000, "version_tree_arity_log2": 2, "compression": {"id": "zstd"}},
    "defaults": {},
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    side = NodePeer(HERE / "forks_peer.mjs", tmp_path_factory.mktemp("ours"))
    yield side
    side.close()


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    side = NodePeer(HERE / "neuroglancer_peer.mjs", tmp_path_factory.mktemp("viewer"))
    yield side
    side.close()


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS.keys())
def base(request, ours, tmp_path):
    """Its keys have no first byte in common: Neuroglancer does not find a key of a root whose keys have."""
    folder = f"{tmp_path}/base/"
    ours.call("create", base=folder, config=request.param)
    for i in range(17):
        ours.call("apply", base=folder, entries={"info": f"info {i}", **{f"s/{j}/{i}": f"value {i} {j}" for j in range(3)}})
    return folder


def sees(viewer, state, **where):
    """Whether it reads just these values; the keys that are not there are of other versions."""
    keys = [*state, "none", "s/none", "t/9", "s/0/0", "t/0"]
    return viewer.call("values", keys=keys, **where) == {key: state.get(key) for key in keys}


def versions_of(ours, **where):
    return {int(n): state for n, state in ours.call("history", **where).items()}


def test_it_reads_every_version(ours, viewer, base):
    history = versions_of(ours, base=base)
    url = ours.call("serve", base=base)
    assert viewer.call("versions", url=f"{url}head/ocdbt/") == sorted(history)
    for generation, state in history.items():
        assert sees(viewer, state, url=f"{url}head/ocdbt/", version=f"v{generation}")
        if generation % 4 < 2:
            assert sees(viewer, state, url=f"{url}v{generation}/ocdbt/")
    with pytest.raises(OurError, match="not found"):
        viewer.call("values", keys=[], url=f"{url}head/ocdbt/", version="v99")


def test_it_reads_forks_at_any_version_and_their_history(ours, viewer, base):
    history = versions_of(ours, base=base)
    for at in [1, 2, 8, 9, 17]:
        fork = {"base": base, "fork": f"f{at}"}
        ours.call("fork", version=at, **fork)
        for i in range(4):
            ours.call("apply", entries={"info": f"of the fork {i}", "s/0/0": None, f"t/{i}": "longer than inline"}, **fork)
        url = ours.call("serve", **fork)
        expected = versions_of(ours, **fork)
        assert {n: expected[n] for n in range(1, at + 1)} == {n: history[n] for n in range(1, at + 1)}
        assert viewer.call("versions", url=f"{url}head/ocdbt/") == sorted(expected)
        for generation, state in expected.items():
            assert sees(viewer, state, url=f"{url}head/ocdbt/", version=f"v{generation}")


def test_it_reads_merged_and_restored_databases(ours, viewer, base):
    ours.call("fork", base=base, fork="m")
    ours.call("apply", base=base, fork="m", entries={"info": "of the fork", "s/2/3": "a value that stays in the fork's file"})
    ours.call("apply", base=base, entries={"t": "of the base"})
    assert ours.call("merge", base=base, fork="m")["merged"]
    url = f"{ours.call('serve', base=base)}head/ocdbt/"
    assert sees(viewer, ours.call("contents", base=base), url=url)
    assert ours.call("update", base=base, fork="m")["merged"]
    assert sees(viewer, ours.call("contents", base=base), url=f"{ours.call('serve', base=base, fork='m')}head/ocdbt/")
    ours.call("restore", base=base, version=7)
    assert sees(viewer, ours.call("contents", base=base, version=7), url=url)


def test_it_reads_a_numbered_database_of_tensorstore_which_it_cannot_open_itself(ours, viewer, tmp_path):
    folder = f"{tmp_path}/numbered/"
    spec = {"driver": "ocdbt", "base": {"driver": "file", "path": folder}, "config": {"manifest_kind": "numbered"}}
    store = ts.KvStore.open(spec).result()
    for i in range(20):
        store["info"] = f"info {i}"
        store[f"s/{i}"] = f"a value {i}" * 20
    url = f"{ours.call('serve', base=folder)}head/ocdbt/"
    assert sees(viewer, {"info": "info 19", **{f"s/{i}": f"a value {i}" * 20 for i in range(20)}}, url=url)
