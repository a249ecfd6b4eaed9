"""Databases of TensorStore that we expire, sweep, compact, rebuild and repair: TensorStore goes on reading, pinning and writing."""

import pathlib
import random

import pytest
import tensorstore as ts
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "upkeep_peer.mjs"


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    side = NodePeer(SCRIPT, tmp_path_factory.mktemp("upkeep"))
    yield side
    side.close()


def opened(folder, version=None, **config):
    spec = {"driver": "ocdbt", "base": f"file://{folder}/"}
    if version is not None:
        spec["version"] = version
    if config:
        spec["config"] = config
    return ts.KvStore.open(spec, context=ts.Context()).result()


def contents(store):
    return {key: store[key] for key in store.list().result()}


def newest(store):
    return ts.ocdbt.dump(store.base).result()["versions"][-1]["generation_number"]


class World:
    """A database and what each version of it holds."""

    def __init__(self, folder, **config):
        self.folder = folder
        self.store = opened(folder, **config)
        self.history = {}
        self.random = random.Random(5)
        self.current = {}

    def commit(self, count):
        for _ in range(count):
            with ts.Transaction(atomic=True) as transaction:
                view = self.store.with_transaction(transaction)
                for _ in range(self.random.randint(1, 12)):
                    key = b"%d" % self.random.randrange(60)
                    value = self.random.randbytes(self.random.choice([0, 3, 50, 700]))
                    view[key] = value
                    self.current[key] = value
            self.history[newest(self.store)] = dict(self.current)

    def check(self, expected_generations=None):
        """Each version that can be pinned holds what it held."""
        pinned = []
        for generation, expected in self.history.items():
            try:
                found = contents(opened(self.folder, version=generation))
            except ValueError as error:
                assert "NOT_FOUND" in str(error) or "not" in str(error).lower()
                continue
            assert found == expected
            pinned.append(generation)
        assert contents(opened(self.folder)) == self.current
        for generation in expected_generations or []:
            assert generation in pinned
        return pinned


@pytest.mark.parametrize("arity", [1, 2, 4])
@pytest.mark.parametrize("kind", ["single", "numbered"])
def test_expiry_and_sweep_leave_what_tensorstore_reads_and_extends(ours, tmp_path, arity, kind):
    config = {"version_tree_arity_log2": arity, "max_inline_value_bytes": 10, "max_decoded_node_bytes": 400}
    world = World(tmp_path, manifest_kind=kind, **config)
    for round in range(4):
        world.commit(7 + 5 * round)
        generations = list(world.history)
        tag = generations[len(generations) // 3]
        tags = [tag] if tag in world.check() else []
        ours.call("expire", folder=str(tmp_path), keepLast=3, tags=tags)
        left = world.check([*tags, *generations[-3:]])
        assert len(left) < len(generations) or len(generations) < 8
        if kind == "single":
            assert ours.call("sweep", folder=str(tmp_path)) >= 0
        world.check(left)
        assert ours.call("fsck", folder=str(tmp_path)) == []
        world.store = opened(tmp_path)
    world.commit(40)
    world.check()
    assert ours.call("fsck", folder=str(tmp_path)) == []


def test_compacted_and_rebuilt_databases_are_read_and_extended(ours, tmp_path):
    world = World(tmp_path, version_tree_arity_log2=2, max_inline_value_bytes=10, max_decoded_node_bytes=400)
    world.commit(30)
    assert ours.call("compact", folder=str(tmp_path), liveRatio=0.7)["movedBytes"] > 0
    world.check(list(world.history))
    assert ours.call("rebuild", folder=str(tmp_path)) == len(world.current)
    world.check(list(world.history))
    world.store = opened(tmp_path)
    world.commit(15)
    ours.call("expire", folder=str(tmp_path), keepLast=1)
    assert ours.call("sweep", folder=str(tmp_path)) > 10
    world.check()
    assert ours.call("fsck", folder=str(tmp_path)) == []


def test_a_stale_tail_that_stops_tensorstore_is_cut(ours, tmp_path):
    world = World(tmp_path)
    world.commit(5)
    manifest = tmp_path / "manifest.ocdbt"
    manifest.write_bytes(manifest.read_bytes() + bytes(4000))
    with pytest.raises(ValueError, match="Length in header"):
        contents(opened(tmp_path))
    assert ours.call("repair", folder=str(tmp_path)) == ["cut-stale-tail"]
    world.check(list(world.history))
    assert ours.call("fsck", folder=str(tmp_path)) == []
