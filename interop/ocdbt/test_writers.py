"""TensorStore, ours, and ours through a coordinator, each in processes of their own, write one database on disk."""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
import tensorstore as ts

HERE = pathlib.Path(__file__).parent
# How often each writer of ours is killed; more for a long run.
KILLS = int(os.environ.get("PCG_OCDBT_KILLS", "1"))
ROUNDS = 12


class Process:
    """A process that prints a line for each step; killed, it keeps what it had printed."""

    def __init__(self, *command):
        self.lines = []
        self.process = subprocess.Popen(list(command), stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.follow)
        self.reader.start()

    def follow(self):
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def wait_for(self, lines, timeout=60):
        end = time.monotonic() + timeout
        while len(self.lines) < lines:
            assert self.process.poll() is None or len(self.lines) >= lines, "it ended by itself"
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.002)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def join(self, timeout=120):
        code = self.process.wait(timeout=timeout)
        self.reader.join()
        assert code == 0


class Coordinator(threading.Thread):
    """Keeps a coordinator at an address, and kills it again and again."""

    def __init__(self, spec, address, seed):
        super().__init__()
        self.spec, self.address, self.source = spec, address, random.Random(seed)
        self.is_over = threading.Event()
        self.failure = None
        self.times_led = 0

    def run(self):
        try:
            while not self.is_over.is_set():
                process = Process("node", str(HERE / "coordinator.mjs"), json.dumps(self.spec), self.address)
                process.wait_for(1)
                self.times_led += 1
                self.is_over.wait(self.source.uniform(0.1, 1.0))
                process.kill()
        except BaseException as failure:
            self.failure = failure

    def stop(self):
        self.is_over.set()
        self.join()
        if self.failure:
            raise self.failure


def run_writer(side, spec, name, kills, seed, results):
    """Runs a writer to its end; one of ours is killed on the way and started again behind what it had made."""
    try:
        source = random.Random(seed)
        command = [sys.executable, str(HERE / "writer.py")] if side == "theirs" else ["node", str(HERE / "writer.mjs")]
        first, acknowledged, killed = 0, [], 0
        for _ in range(kills if side != "theirs" else 0):
            process = Process(*command, json.dumps(spec), name, str(first), "100000")
            process.wait_for(source.randint(2, 6))
            time.sleep(source.uniform(0, 0.02))
            process.kill()
            acknowledged += process.lines
            killed += 1
            # The number after the last acknowledged may have been written in part; it is written again.
            first = int(process.lines[-1]) + 1
        process = Process(*command, json.dumps(spec), name, str(first), str(ROUNDS))
        process.join()
        results[name] = {"last": int(process.lines[-1]), "acknowledged": len(acknowledged + process.lines), "killed": killed}
    except BaseException as failure:
        results[name] = failure


@pytest.mark.parametrize("kind", ["single", "numbered"])
def test_all_kinds_of_writers_together_lose_nothing(our_side, tmp_path, kind):
    base = {"driver": "file", "path": f"{tmp_path}/db/", "file_io_sync": False}
    config = {"manifest_kind": kind, "max_inline_value_bytes": 120, "max_decoded_node_bytes": 2000}
    spec = {"driver": "ocdbt", "base": base, "config": config}
    address = f"unix:{tmp_path}/c.sock"
    coordinator = Coordinator(spec, address, kind)
    coordinator.start()
    results = {}
    sides = {"direct": spec, "coordinated": {**spec, "coordinator": {"address": address}}, "theirs": spec}
    writers = [
        threading.Thread(target=run_writer, args=(side, each, f"{side}{i}", KILLS, f"{kind}{side}{i}", results))
        for side, each in sides.items()
        for i in range(2)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    coordinator.stop()
    assert not [failure for failure in results.values() if isinstance(failure, BaseException)], results
    assert len(results) == 6 and coordinator.times_led >= 2

    store = ts.KvStore.open(spec).result()
    counts = json.loads(store[b"counts"])
    expected = {"counts"}
    for name, result in results.items():
        assert store[f"{name}/last"] == b"%d" % result["last"]
        for i in range(result["last"] + 1):
            assert store[f"{name}/{i}"] == (b"%d " % i) * (i % 4 * 50)
            expected.add(f"{name}/{i}")
        expected.add(f"{name}/last")
        # A step that a killed process was not told of may have been counted.
        assert result["acknowledged"] <= counts[name] <= result["acknowledged"] + result["killed"]
    assert {key.decode() for key in store.list().result()} == expected

    # Through all versions every counter stands or goes on by one; started again, it may be written again.
    versions = our_side.call("versions", spec=spec)
    before = {}
    context = ts.Context()
    for generation, _ in versions:
        view = ts.KvStore.open({**spec, "version": int(generation)}, context=context).result()
        reads = {name: view.read(f"{name}/last") for name in results}
        for name, read in reads.items():
            found = read.result()
            value = int(found.value) if found.state == "value" else -1
            assert value - before.get(name, -1) in (0, 1), (name, generation)
            before[name] = value
    report = our_side.call("fsck", spec=spec)
    assert report["isSound"]
    assert {finding.split(":")[0] for finding in report["findings"]} <= {"unused-bytes", "orphan-file"}


def test_beside_writers_that_never_rest_a_commit_has_its_turn(tmp_path):
    """TensorStore tries again at once, and is faster: whoever does the same loses to it for seconds."""
    base = {"driver": "file", "path": f"{tmp_path}/db/"}
    spec = json.dumps({"driver": "ocdbt", "base": base})
    others = [Process(sys.executable, HERE / "writer.py", spec, f"theirs{i}", "0", "1000000") for i in range(2)]
    try:
        for other in others:
            other.wait_for(1)
        ours = subprocess.run(["node", HERE / "turns.mjs", json.dumps(base), "30"], check=True, capture_output=True, timeout=120)
        for other in others:
            other.wait_for(len(other.lines) + 1)
    finally:
        for other in others:
            other.kill()
    attempts = json.loads(ours.stdout)
    assert len(attempts) == 30
    assert max(attempts) <= 3, attempts
