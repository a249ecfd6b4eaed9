"""Our file driver beside TensorStore's on the same files."""

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


class Counter:
    """A process that counts in a shared value; `acknowledged` is what it was told it had reached."""

    def __init__(self, side, name, spec, times):
        command = ["node", str(HERE / "increment.mjs")] if side == "ours" else [sys.executable, str(HERE / "increment.py")]
        self.name = name
        self.acknowledged = 0
        self.was_killed = False
        self.process = subprocess.Popen(
            [*command, json.dumps(spec), "counter", name, str(times)], stdout=subprocess.PIPE, text=True
        )
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()

    def follow(self):
        for line in self.process.stdout:
            self.acknowledged = int(line)

    def kill(self):
        self.was_killed = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join()

    def join(self, timeout=150):
        code = self.process.wait(timeout=timeout)
        self.reader.join()
        assert code == 0, self.name


def wait_until(condition, timeout=60):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


def threads_of(pid):
    """The states its threads are in, by the kernel's letters."""
    stats = [(task / "stat").read_text() for task in pathlib.Path(f"/proc/{pid}/task").iterdir()]
    return {stat.rpartition(")")[2].split()[0] for stat in stats}


def files_of(pid):
    """The names of the files it has open."""
    return [os.path.basename(os.readlink(fd)) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()]


def counts_in(folder):
    return json.loads((folder / "counter").read_text())


def check(folder, counters):
    counts = counts_in(folder)
    for counter in counters:
        # The last step of a killed process may have been done without being told.
        possible = [counter.acknowledged, counter.acknowledged + 1] if counter.was_killed else [counter.acknowledged]
        assert counts.get(counter.name, 0) in possible, counter.name
    assert len(counts) <= len(counters)


def spec_of(folder, mode, sync=True):
    return {"driver": "file", "path": f"{folder}/", "file_io_locking": {"mode": mode}, "file_io_sync": sync}


@pytest.mark.parametrize("mode", ["os", "lockfile"])
@pytest.mark.parametrize("sync", [True, False], ids=["sync", "no sync"])
def test_counts_of_tensorstore_and_ours_in_one_value_lose_nothing(tmp_path, mode, sync):
    spec = spec_of(tmp_path, mode, sync)
    counters = [Counter(side, f"{side}{i}", spec, 60) for i in range(2) for side in ("ours", "theirs")]
    for counter in counters:
        counter.join()
    assert [counter.acknowledged for counter in counters] == [60] * 4
    check(tmp_path, counters)
    assert os.listdir(tmp_path) == ["counter"]


def test_killing_ours_at_any_moment_loses_nothing_and_stops_nobody(ours, tmp_path):
    rng = random.Random(3)
    spec = spec_of(tmp_path, "os")
    theirs = [Counter("theirs", f"theirs{i}", spec, 150) for i in range(2)]
    killed = []
    for i in range(8):
        counter = Counter("ours", f"ours{i}", spec, 10_000)
        killed.append(counter)
        goal = rng.randint(1, 8)
        wait_until(lambda: counter.acknowledged >= goal)
        counter.kill()
    for counter in theirs:
        counter.join()
    check(tmp_path, [*theirs, *killed])
    ours.sweep(tmp_path, "os")
    assert os.listdir(tmp_path) == ["counter"]


def test_killing_ours_with_lock_files_loses_nothing(tmp_path):
    """Whoever finds a lock file that is a minute old goes on; the minute is made by setting its time back."""
    rng = random.Random(4)
    spec = spec_of(tmp_path, "lockfile")
    theirs = Counter("theirs", "theirs", spec, 120)
    survivor = Counter("ours", "survivor", spec, 120)
    killed = []
    lock = tmp_path / "counter.__lock"
    for i in range(4):
        counter = Counter("ours", f"ours{i}", spec, 10_000)
        killed.append(counter)
        goal = rng.randint(1, 6)
        wait_until(lambda: counter.acknowledged >= goal)
        counter.kill()
        reached = counts_in(tmp_path)
        try:
            left = lock.stat().st_ino
        except FileNotFoundError:
            continue
        # The lock is the dead one's if it stays while nobody gets on.
        time.sleep(0.2)
        if lock.exists() and lock.stat().st_ino == left and counts_in(tmp_path) == reached:
            time.sleep(1)
            if lock.exists() and lock.stat().st_ino == left and counts_in(tmp_path) == reached:
                os.utime(lock, (time.time() - 61, time.time() - 61))
    for counter in (theirs, survivor):
        counter.join()
    check(tmp_path, [theirs, survivor, *killed])


def test_a_lock_held_by_tensorstore_is_waited_for(tmp_path):
    """A writer of TensorStore's that stands still, stopped in mid-work, is not overtaken under its lock."""
    spec = spec_of(tmp_path, "os")
    theirs = Counter("theirs", "theirs", spec, 100_000)
    mine = Counter("ours", "ours", spec, 100_000)
    try:
        wait_until(lambda: theirs.acknowledged >= 3 and mine.acknowledged >= 3)
        for _ in range(10):
            theirs.process.send_signal(signal.SIGSTOP)
            # Its threads stop one after the other; until the last has, it may still take the lock.
            wait_until(lambda: threads_of(theirs.process.pid) <= {"T"})
            before = mine.acknowledged
            # The lock is held from when it is taken under its own name until it is closed under the name of the value.
            if not any(file.startswith("counter") for file in files_of(theirs.process.pid)):
                wait_until(lambda: mine.acknowledged > before + 1)
            theirs.process.send_signal(signal.SIGCONT)
            reached = theirs.acknowledged
            wait_until(lambda: theirs.acknowledged > reached)
    finally:
        theirs.kill()
        mine.kill()
    check(tmp_path, [theirs, mine])


def test_what_a_killed_tensorstore_left_is_hidden_and_harmless(ours, tmp_path):
    (tmp_path / "counter.__lock").write_bytes(b"x" * 5000)
    spec = spec_of(tmp_path, "os")
    assert ours.list(spec) == []
    ours.write(spec, b"counter", b"{}")
    assert os.listdir(tmp_path) == ["counter"]
    assert (tmp_path / "counter").read_bytes() == b"{}"
    (tmp_path / "other.__lock").write_bytes(b"x" * 5000)
    assert ours.sweep(tmp_path, "os") == 1
    theirs = ts.KvStore.open(spec).result()
    assert theirs.list().result() == [b"counter"]


def test_a_folder_in_the_place_of_a_value_is_absent_to_both(ours, our_error, tmp_path):
    spec = spec_of(tmp_path, "os")
    theirs = ts.KvStore.open(spec).result()
    theirs.write("a/b", b"x").result()
    assert theirs.read("a").result().state == "missing"
    assert ours.read(spec, b"a") is None
    with pytest.raises(our_error) as refusal:
        ours.write(spec, b"a", b"y")
    assert refusal.value.code == "bad-key"
    with pytest.raises(ValueError):
        theirs.write("a", b"y").result()
    assert ours.list(spec) == [b"a/b"]
