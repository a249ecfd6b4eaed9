"""One database, written by TensorStore and by us in turn, over shapes of databases; each reads everything after each turn.

Every pair of settings is covered. `PCG_OCDBT_MATRIX=full` runs every combination instead, which takes hours; a number makes another
choice of combinations that covers every pair.
"""

import hashlib
import itertools
import os
import random
from datetime import datetime, timezone

import pytest
import tensorstore as ts

SETTINGS = {
    "start": ["theirs", "ours"],
    "kind": ["single", "numbered"],
    "inline": [0, 100, 4096, 2**20],
    "node": [1, 1024, 65536, 2**23],
    "arity": [1, 4, 16],
    "compression": [None, {"id": "zstd"}],
    "versions": [1, 2, 17, 70, 300],
    # Data files of a second database below this folder are referred to.
    "child": ["", "child/"],
    # Of the data files of TensorStore and of ours.
    "prefixes": [("d/", "d/"), ("x", "y/z/"), ("d/", None)],
    # Where the manifest is, if not beside the data.
    "manifest": ["", "own/"],
    # What the spec puts before every key.
    "path": ["", "seg/é/"],
}


def pairwise(settings, seed):
    """Few combinations in which any two values of different settings come together."""
    source = random.Random(seed)
    names = list(settings)

    def pairs(case):
        return {(a, case[a], b, case[b]) for a, b in itertools.combinations(names, 2)}

    names_and_indexes = {name: range(len(values)) for name, values in settings.items()}
    missing = {
        (a, i, b, j)
        for a, b in itertools.combinations(names, 2)
        for i in names_and_indexes[a]
        for j in names_and_indexes[b]
    }
    while missing:
        candidates = []
        for _ in range(60):
            case = {name: source.choice(indexes) for name, indexes in names_and_indexes.items()}
            a, i, b, j = source.choice(sorted(missing))
            candidates.append({**case, a: i, b: j})
        best = max(candidates, key=lambda case: len(pairs(case) & missing))
        missing -= pairs(best)
        yield {name: settings[name][index] for name, index in best.items()}


def cases():
    choice = os.environ.get("PCG_OCDBT_MATRIX", "1")
    if choice == "full":
        return [dict(zip(SETTINGS, values)) for values in itertools.product(*SETTINGS.values())]
    return list(pairwise(SETTINGS, int(choice)))


def name_of(case):
    return " ".join(
        f"{name}={value['id'] if isinstance(value, dict) else '+'.join(map(str, value)) if isinstance(value, tuple) else value}"
        for name, value in case.items()
    )


def digest(content):
    state = hashlib.sha256()
    for key in sorted(content):
        value = content[key]
        state.update(len(key).to_bytes(4, "little") + len(value).to_bytes(4, "little") + key + value)
    return state.hexdigest()


def random_key(source):
    """Bytes, few of them UTF-8, of all lengths; some share long beginnings."""
    kind = source.randrange(6)
    if kind == 0:
        return source.randbytes(source.choice([0, 1, 1, 2, 40]))
    if kind == 1:
        return b"\xff\xfe" * source.randrange(4) + source.randbytes(1)
    if kind == 2:
        return b"a long beginning " * 20 + b"%d" % source.randrange(30)
    return b"8_8_40/%d-%d" % (source.randrange(8) * 64, source.randrange(8) * 64)


class Model:
    """What every version has to hold, and the mutations that lead there."""

    def __init__(self, inline, seed):
        self.source = random.Random(seed)
        self.sizes = [0, 1, 7, min(inline, 5000), min(inline, 5000) + 1, 300]
        self.content = {}
        self.versions = []
        self.count = 0

    def value(self):
        self.count += 1
        size = self.source.choice(self.sizes)
        # Never the same twice, unless there is no room for a difference.
        return (b"%d:" % self.count + self.source.randbytes(size))[:size]

    def put(self, key):
        value = self.value()
        self.content[key] = value
        return {"op": "put", "key": key.hex(), "value": value.hex()}

    def delete(self, key):
        self.content.pop(key, None)
        return {"op": "delete", "key": key.hex()}

    def delete_range(self, start, end):
        for key in [key for key in self.content if start <= key < end]:
            del self.content[key]
        return {"op": "deleteRange", "start": start.hex(), "end": end.hex()}

    def some_key(self):
        if self.content and self.source.random() < 0.6:
            return self.source.choice(sorted(self.content))
        return random_key(self.source)

    def commit(self, size):
        """Mutations that change something, so that they make a version."""
        mutations = []
        if self.versions and self.source.random() < 0.3:
            mutations.append(self.delete_range(*sorted([self.some_key(), self.some_key()])))
        touched = set()
        for _ in range(size):
            key = self.some_key()
            if key in touched:
                continue
            touched.add(key)
            mutations.append(self.delete(key) if self.source.random() < 0.2 else self.put(key))
        mutations.append(self.put(b"count %d" % self.count))
        self.versions.append(dict(self.content))
        return mutations

    def conditional(self):
        """Single mutations with conditions, and which of them hold. Each that holds is a version."""
        key, absent = self.source.choice(sorted(self.content)), b"absent %d" % self.count
        results = []
        for mutation, when, holds in [
            ("put", "same", True),
            ("put", "other", False),
            ("put", "absent", False),
            ("delete", "other", False),
            ("delete", "same", True),
            ("put", "absent", True),
        ]:
            before = dict(self.content)
            made = self.put(key) if mutation == "put" else self.delete(key)
            if holds:
                self.versions.append(dict(self.content))
            else:
                self.content = before
            results.append(({**made, "when": when}, holds))
        made = self.put(absent)
        self.versions.append(dict(self.content))
        results.append(({**made, "when": "absent"}, True))
        return results


class Theirs:
    """TensorStore."""

    def __init__(self, spec):
        self.spec = spec
        self.context = ts.Context()

    def open(self, **members):
        return ts.KvStore.open({**self.spec, **members}, context=self.context).result()

    def commit(self, commits):
        store = self.open()
        for mutations in commits:
            with ts.Transaction(atomic=True) as transaction:
                view = store.with_transaction(transaction)
                for mutation in mutations:
                    if mutation["op"] == "deleteRange":
                        ends = bytes.fromhex(mutation["start"]), bytes.fromhex(mutation["end"])
                        # An empty end would mean "on and on".
                        if ends[0] < ends[1]:
                            view.delete_range(ts.KvStore.KeyRange(*ends)).result()
                    else:
                        value = mutation.get("value")
                        view[bytes.fromhex(mutation["key"])] = None if value is None else bytes.fromhex(value)

    def try_conditional(self, mutation):
        store, key = self.open(), bytes.fromhex(mutation["key"])
        current = store.read(key).result().stamp.generation
        generation = {"same": current, "absent": store.read(b"never there").result().stamp.generation}.get(
            mutation["when"], b"\x00" + b"x" * 20
        )
        value = mutation.get("value")
        stamp = store.write(key, None if value is None else bytes.fromhex(value), if_equal=generation).result()
        return bool(stamp.generation)

    def digests(self, pins):
        stores = [self.open(**({} if pin is None else {"version": version_json(pin)})) for pin in pins]
        listed = [store.list() for store in stores]
        reads = [[(key, store.read(key)) for key in keys.result()] for store, keys in zip(stores, listed)]
        return [digest({key: read.result().value for key, read in each}) for each in reads]

    def list(self, pin, start, end):
        store = self.open(**({} if pin is None else {"version": version_json(pin)}))
        return sorted(store.list(ts.KvStore.KeyRange(start, end)).result())


class Ours:
    """A Node process of ours."""

    def __init__(self, peer, spec):
        self.peer = peer
        self.spec = spec

    def call(self, op, **arguments):
        return self.peer.call(op, spec=self.spec, **arguments)

    def commit(self, commits):
        for applied in self.call("commit", commits=commits):
            assert all(applied)

    def try_conditional(self, mutation):
        [[applied]] = self.call("commit", commits=[[mutation]])
        return applied

    def digests(self, pins):
        return self.call("digests", pins=pins)

    def list(self, pin, start, end):
        return [bytes.fromhex(key) for key in self.call("list", pin=pin, start=start.hex(), end=end.hex())]


def version_json(pin):
    if "generation" in pin:
        return int(pin["generation"])
    seconds, ns = divmod(int(pin["time"]), 10**9)
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{ns:09d}Z"


def check(reader, model, versions):
    """Everything a reader can see is what the model says, at every version by number and by time."""
    assert len(versions) == len(model.versions)
    pins, expected = [None], [model.versions[-1]]
    for i, (generation, time) in enumerate(versions):
        pins.append({"generation": generation})
        expected.append(model.versions[i])
        if len(versions) > 100 and i % 4:
            continue
        # Times between two versions name the earlier one.
        following = int(versions[i + 1][1]) if i + 1 < len(versions) else int(time) + 2
        pins.append({"time": time if i % 8 else str(following - 1)})
        expected.append(model.versions[i])
    assert reader.digests(pins) == [digest(content) for content in expected]
    for content, pin in [(model.versions[-1], None), (model.versions[0], {"generation": versions[0][0]})]:
        for start, end in [(b"8", b"9"), (b"\xff", b"\xff\xff"), (b"8_8_40/128-", b"8_8_40/192-64"), (b"x", b"y")]:
            assert reader.list(pin, start, end) == sorted(key for key in content if start <= key < end)


@pytest.mark.parametrize("case", cases(), ids=name_of)
def test_each_reads_lists_pins_and_extends_what_the_other_wrote(our_side, tmp_path, case):
    config = {
        "manifest_kind": case["kind"],
        "max_inline_value_bytes": case["inline"],
        "max_decoded_node_bytes": case["node"],
        "version_tree_arity_log2": case["arity"],
        "compression": case["compression"],
    }
    base = {"driver": "file", "path": f"{tmp_path}/db/", "file_io_sync": False}
    names = ("value_data_prefix", "btree_node_data_prefix", "version_tree_node_data_prefix")

    def spec(prefix, folder=""):
        prefixes = dict(zip(names, ("v/", "b/", "t/") if prefix is None else (prefix,) * 3))
        return {
            "driver": "ocdbt",
            "base": {**base, "path": base["path"] + folder},
            "config": config,
            "path": "" if folder else case["path"],
            **({} if folder or not case["manifest"] else {"manifest": {**base, "path": f"{tmp_path}/{case['manifest']}"}}),
            **prefixes,
        }

    theirs = Theirs(spec(case["prefixes"][0]))
    ours = Ours(our_side, spec(case["prefixes"][1]))
    first, second = (theirs, ours) if case["start"] == "theirs" else (ours, theirs)
    model = Model(case["inline"], name_of(case))

    first.commit([model.commit(12 if i == 0 else 3) for i in range(case["versions"])])
    if first is theirs:
        # TensorStore makes a database with an empty version, then commits the transaction.
        model.versions.insert(0, {})
    if case["child"]:
        adopt(first, ours, theirs, spec, case["child"], model, case["inline"])
    versions = ours.call("versions")
    check(second, model, versions)
    with pytest.raises(Exception, match="no version|NOT_FOUND|not find|does not exist|before"):
        second.digests([{"time": str(int(versions[0][1]) - 1)}])

    extend(second, model)
    versions = ours.call("versions")
    check(first, model, versions)

    extend(first, model)
    versions = ours.call("versions")
    check(second, model, versions)
    check(first, model, versions)
    newest = {**ours.spec, "version": int(versions[0][0])}
    assert our_side.call("specDigest", spec=newest) == digest(model.versions[0])
    assert our_side.call("specDigest", spec=ours.spec) == digest(model.versions[-1])
    report = our_side.call("fsck", spec=ours.spec)
    assert report["isSound"]
    left = [finding for finding in report["findings"] if not finding.startswith("unused-bytes")]
    assert all(finding.startswith("orphan-file") for finding in left), left
    # TensorStore leaves behind what its failed attempts wrote; we do not.
    if case["prefixes"][0] != case["prefixes"][1]:
        own = ("v/", "b/", "t/") if case["prefixes"][1] is None else (case["prefixes"][1],)
        assert not [finding for finding in left if finding.split(" refers to ")[1].startswith(own)]


def extend(writer, model):
    for mutation, holds in model.conditional():
        assert writer.try_conditional(mutation) == holds
    writer.commit([model.commit(8) for _ in range(5)])


def adopt(first, ours, theirs, spec, folder, model, inline):
    """Takes over the tree (theirs) or the values (ours) of a database in a folder below, by reference."""
    child = Model(inline, "child")
    child_spec = spec("c/", folder)
    if first is theirs:
        writer = Theirs(child_spec)
        writer.context = theirs.context
        writer.commit([child.commit(20)])
        with ts.Transaction(atomic=True) as transaction:
            target = (theirs.open() / "in/").with_transaction(transaction)
            writer.open().experimental_copy_range_to(target).result()
        taken = child.content
    else:
        writer = Ours(ours.peer, child_spec)
        writer.commit([[Model(inline, "first").put(b"before all")], child.commit(20)])
        taken = child.content
        under = (ours.spec["path"] + "in/").encode()
        assert ours.call("adopt", child=child_spec, folder=folder, under=under.hex()) == len(taken)
    model.content.update({b"in/" + key: value for key, value in taken.items()})
    model.versions.append(dict(model.content))
