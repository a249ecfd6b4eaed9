"""Neuroglancer's own reader on databases of ours, and the one shape it cannot read."""

import base64
import pathlib
import random
from datetime import datetime, timezone

import pytest
from node_peer import NodePeer, OurError

PEER = pathlib.Path(__file__).parent / "neuroglancer_peer.mjs"


class Reader(NodePeer):
    """Neuroglancer's OCDBT reader; every question is asked by one that has read nothing yet."""

    def read(self, url, key):
        value = self.call("read", url=url, key=key)
        return None if value is None else base64.b64decode(value)

    def list(self, url, prefix):
        found = self.call("list", url=url, prefix=prefix)
        return sorted(found["keys"]), sorted(found["folders"])


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    side = Reader(PEER, tmp_path_factory.mktemp("neuroglancer"))
    yield side
    side.close()


def put(key, value):
    return {"op": "put", "key": key.encode().hex(), "value": value.hex()}


def spec_of(folder, **config):
    base = {"driver": "file", "path": f"{folder}/db/", "file_io_sync": False}
    return {"driver": "ocdbt", "base": base, "config": config}


def level(content, prefix):
    """Keys and folders directly below a prefix; the reader names folders without their slash."""
    below = [key for key in content if key.startswith(prefix)]
    keys = [key for key in below if "/" not in key[len(prefix) :]]
    folders = {prefix + key[len(prefix) :].split("/")[0] for key in below if "/" in key[len(prefix) :]}
    return sorted(keys), sorted(folders)


def edited_volume(source, versions):
    """Commits to a volume with two scales, `info` beside them, and what is there after each."""
    content, states, commits = {}, [], []
    for _ in range(versions):
        mutations = []
        if not content:
            content["info"] = b'{"@type":"neuroglancer_multiscale_volume"}'
            mutations.append(put("info", content["info"]))
        for _ in range(source.randrange(1, 12)):
            scale = source.choice(["8_8_40", "16_16_40"])
            key = f"{scale}/{source.randrange(9)}-{source.randrange(9)}_0-64_0-64"
            if key in content and source.random() < 0.3:
                del content[key]
                mutations.append({"op": "delete", "key": key.encode().hex()})
            else:
                content[key] = source.randbytes(source.choice([0, 5, 60, 200, 5000]))
                mutations.append(put(key, content[key]))
        content["16_16_40/count"] = b"%d" % len(states)
        mutations.append(put("16_16_40/count", content["16_16_40/count"]))
        states.append(dict(content))
        commits.append(mutations)
    return commits, states


@pytest.mark.parametrize("compression", [None, {"id": "zstd"}], ids=["raw", "zstd"])
@pytest.mark.parametrize("inline,node,arity", [(0, 300, 1), (100, 65536, 4), (4096, 1500, 2)])
def test_the_reader_opens_every_version_of_an_edited_volume(our_side, reader, tmp_path, compression, inline, node, arity):
    config = {"max_inline_value_bytes": inline, "max_decoded_node_bytes": node, "version_tree_arity_log2": arity}
    spec = spec_of(tmp_path, compression=compression, **config)
    commits, states = edited_volume(random.Random(f"{inline}{node}"), 40)
    our_side.call("commit", spec=spec, commits=commits)
    versions = our_side.call("versions", spec=spec)
    url = f"file://{tmp_path}/db/|ocdbt:"
    for at in (0, 1, 6, 15, 16, 27, 39):
        generation, time = versions[at]
        by_time = f"{url}@{iso(int(time))}/"
        for pinned in (f"{url}@v{generation}/", by_time, *([url] if at == 39 else [])):
            for prefix in ("", "8_8_40/", "16_16_40/1", "nothing/"):
                keys, folders = reader.list(pinned, prefix)
                # In a tree of several levels it passes over what shares a node with a folder's last keys, and names the folder
                # in front of a prefix; in databases of TensorStore's as well.
                assert set(keys) <= set(level(states[at], prefix)[0])
                if node == 65536:
                    assert (keys, folders) == level(states[at], prefix)
        keys = sorted(states[at])
        for key in [*keys[::5], "info", "16_16_40/count"]:
            assert reader.read(f"{url}@v{generation}/", key) == states[at][key]
        assert reader.read(by_time + "16_16_40/", "count") == b"%d" % at
        assert reader.read(by_time, "8_8_40/absent") is None
    for key, value in states[-1].items():
        assert reader.read(url, key) == value
    with pytest.raises(OurError, match="not found"):
        reader.read(f"{url}@v999/", "info")


def iso(ns):
    seconds, rest = divmod(ns, 10**9)
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


@pytest.mark.xfail(strict=True, reason="neuroglancer 2.41.2 keeps the common prefix of the root on the key it looks for")
def test_the_reader_finds_values_when_all_keys_begin_alike(our_side, reader, tmp_path):
    our_side.call("commit", spec=spec_of(tmp_path), commits=[[put("seg/info", b"{}"), put("seg/8_8_40/0", b"chunk")]])
    assert reader.read(f"file://{tmp_path}/db/|ocdbt:", "seg/info") == b"{}"


def test_a_key_with_another_first_byte_is_all_it_takes(our_side, reader, tmp_path):
    """The remedy for databases that need a prefix, and what the failure looks like: absent, though listed."""
    spec, url = spec_of(tmp_path, max_inline_value_bytes=2), f"file://{tmp_path}/db/|ocdbt:"
    our_side.call("commit", spec=spec, commits=[[put("seg/info", b"{}"), put("seg/8_8_40/0", b"chunk")]])
    assert reader.read(url, "seg/info") is None
    assert reader.list(url, "seg/") == (["seg/info"], ["seg/8_8_40"])
    our_side.call("commit", spec=spec, commits=[[put("READ-ME", b"Keeps the keys of this database from beginning alike.")]])
    assert reader.read(url, "seg/info") == b"{}"
    assert reader.read(url + "seg/", "8_8_40/0") == b"chunk"


def test_numbered_databases_are_refused_in_words(our_side, reader, tmp_path):
    our_side.call("commit", spec=spec_of(tmp_path, manifest_kind="numbered"), commits=[[put("info", b"{}")]])
    with pytest.raises(OurError, match="only manifest_kind=single is supported"):
        reader.read(f"file://{tmp_path}/db/|ocdbt:", "info")
