"""`pcg-ocdbt` and TensorStore on one database: each reads what the other wrote, in the forms that programs rely on."""

import base64
import hashlib
import json
import pathlib
import random
import subprocess

import pytest
import tensorstore as ts

PROGRAM = pathlib.Path(__file__).parents[2] / "apps/ocdbt/dist/main.js"


def cli(*args, stdin=b"", code=0):
    """What the command prints, as bytes."""
    ended = subprocess.run(["node", PROGRAM, *map(str, args)], input=stdin, capture_output=True, timeout=120)
    assert ended.returncode == code, ended.stderr.decode()
    return ended.stdout


def lines(*args, **options):
    return [json.loads(line) for line in cli(*args, **options).splitlines()]


def b64(data):
    return base64.b64encode(data).decode()


def opened(folder, **members):
    return ts.KvStore.open({"driver": "ocdbt", "base": f"file://{folder}/", **members}).result()


def content(store):
    return {key: store[key] for key in store.list().result()}


def key_of(source):
    return source.choice([b"seg/", b"", b"\xff", "ü/".encode(), b"\0"]) + source.randbytes(source.randrange(0, 4))


def listed(entry):
    key, value = entry
    try:
        name = {"key": key.decode()}
    except UnicodeDecodeError:
        name = {}
    return {**name, "keyBase64": b64(key), "size": len(value), "sha256": hashlib.sha256(value).hexdigest()}


def test_the_command_tells_what_tensorstore_wrote(tmp_path):
    source = random.Random(4)
    config = {"max_inline_value_bytes": 20, "max_decoded_node_bytes": 500, "version_tree_arity_log2": 1}
    store = opened(tmp_path, config=config)
    states = []
    for _ in range(12):
        with ts.Transaction(atomic=True) as transaction:
            for _ in range(9):
                store.with_transaction(transaction)[key_of(source)] = source.randbytes(source.choice([0, 3, 30, 5000]))
        states.append(content(store))
    log = lines("log", tmp_path, "--json")
    generations = [entry["generation"] for entry in log]
    assert generations == sorted(generations, reverse=True)
    assert list(log[0]) == ["generation", "commitTime", "numKeys", "treeBytes", "valueBytes"]
    for entry, state in zip(log, reversed(states)):
        assert entry["numKeys"] == len(state)
        assert entry["valueBytes"] == sum(len(value) for value in state.values() if len(value) > 20)
        url = f"{tmp_path}/|ocdbt:@v{entry['generation']}/"
        assert lines("list", url, "--json", "--sha256") == [listed(item) for item in sorted(state.items())]
    for key, value in list(states[-1].items())[::7]:
        assert cli("get", tmp_path, b64(key), "--base64") == value
    assert cli("get", tmp_path, "no such key", code=1) == b""


@pytest.mark.parametrize("kind", ["single", "numbered"])
def test_tensorstore_reads_what_the_command_applied(tmp_path, kind):
    source = random.Random(kind)
    config = {
        "manifest_kind": kind,
        "max_inline_value_bytes": 50,
        "max_decoded_node_bytes": 600,
        "version_tree_arity_log2": 2,
        "compression": {"id": "zstd", "level": 5},
    }
    state, states = {}, []
    for _ in range(8):
        mutations = []
        for _ in range(12):
            key, value = key_of(source), source.randbytes(source.choice([0, 40, 60, 3000]))
            match source.choice(["put", "put", "delete", "deleteRange"]):
                case "put":
                    mutations.append({"op": "put", "keyBase64": b64(key), "valueBase64": b64(value)})
                    state[key] = value
                case "delete":
                    mutations.append({"op": "delete", "keyBase64": b64(key)})
                    state.pop(key, None)
                case _:
                    # One that ends before it starts is refused.
                    end = source.choice([b"", key + b"\x80", max(key, key_of(source))])
                    mutations.append({"op": "deleteRange", "startBase64": b64(key), "endBase64": b64(end)})
                    state = {k: v for k, v in state.items() if k < key or (end != b"" and k >= end)}
        text = "\n".join(map(json.dumps, mutations)).encode()
        applied = lines("apply", tmp_path, "-", "--json", "--config", json.dumps(config), stdin=text)
        # What changes nothing makes no version.
        if applied[0]["generation"] is not None:
            states.append((applied[0]["generation"], dict(state)))
    value = source.randbytes(100_000)
    cli("put", tmp_path, "from stdin", "-", stdin=value)
    assert opened(tmp_path)["from stdin"] == value
    for generation, state in states:
        assert content(opened(tmp_path, version=generation)) == state
    stored = ts.ocdbt.dump(ts.KvStore.open(f"file://{tmp_path}/").result()).result()["config"]
    # Numbered manifests do not say themselves that they are.
    assert any(tmp_path.glob("manifest.0*")) == (config.pop("manifest_kind") == "numbered")
    assert {name: stored[name] for name in config} == config
    before = lines("log", tmp_path, "--json")
    bad = text + b'\n{"op":"put","keyBase64":"YQ=="}'
    cli("apply", tmp_path, "-", stdin=bad, code=2)
    assert lines("log", tmp_path, "--json") == before


def test_tensorstore_goes_on_after_upkeep_and_opens_forks_by_the_printed_spec(tmp_path):
    store = opened(tmp_path, config={"max_inline_value_bytes": 10})
    for i in range(20):
        store[f"seg/{i % 5}"] = b"%d" % i * 300
    cli("tag", tmp_path, "third", "v4")
    third = content(opened(tmp_path, version=4))
    cli("fork", tmp_path, "alice")
    cli("restore", tmp_path, "third")
    assert content(opened(tmp_path)) == third
    cli("expire", tmp_path, "--keep", "1")
    cli("compact", tmp_path, "--live-ratio", "0.9")
    cli("expire", tmp_path, "--keep", "1")
    cli("sweep", tmp_path, "--grace", "0s")
    assert lines("fsck", tmp_path, "--deep", "--json")[0]["isSound"]
    assert content(opened(tmp_path)) == third
    opened(tmp_path)["seg/new"] = b"by TensorStore"
    assert cli("get", tmp_path, "seg/new") == b"by TensorStore"

    spec = json.loads(cli("fork", tmp_path, "alice", "--spec"))
    fork = ts.KvStore.open(spec).result()
    assert fork["seg/4"] == b"19" * 300
    fork["seg/4"] = b"by TensorStore in the fork"
    assert cli("get", tmp_path, "seg/4", "--fork", "alice") == b"by TensorStore in the fork"
    assert cli("get", json.dumps(fork.spec().to_json()), "seg/4") == b"by TensorStore in the fork"
    cli("merge", tmp_path, "alice", "--on-conflict", "theirs")
    assert opened(tmp_path)["seg/4"] == b"by TensorStore in the fork"
    assert opened(tmp_path)["seg/new"] == b"by TensorStore"
