"""Starts our side of the volume interop tests once and talks to it line by line."""

import json
import pathlib
import subprocess

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent


class OurError(Exception):
    """An error of our side; `code` is the stable one."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]


class OurVolumes:
    """The Node process that reads and writes volumes with @pcg/volume. Arrays here are (x, y, z, channel)."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.process = subprocess.Popen(
            ["node", str(HERE / "peer.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, op, **arguments):
        self.process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise OurError(answer["error"])
        return answer["result"]

    def create(self, url, volume, levels, slabs=3):
        files = []
        for number, voxels in enumerate(levels):
            files.append(str(self.scratch / f"level-{number}.bin"))
            pathlib.Path(files[-1]).write_bytes(voxels.tobytes(order="F"))
        self.call("create", url=url, volume=volume, data=files, slabs=slabs)

    def read(self, url, scale=0):
        """All voxels of a scale, and what the scale says of itself."""
        out = self.scratch / "read.bin"
        facts = self.call("read", url=url, scale=scale, out=str(out))
        return np.fromfile(out, dtype=facts["dataType"]).reshape([*facts["size"], facts["channels"]], order="F"), facts

    def read_box(self, url, begin, end, dtype, channels=1):
        out = self.scratch / "box.bin"
        self.call("readBox", url=url, begin=begin, end=end, out=str(out))
        shape = [high - low for low, high in zip(begin, end)]
        return np.fromfile(out, dtype=dtype).reshape([*shape, channels], order="F")

    def write(self, url, begin, end, voxels):
        path = self.scratch / "write.bin"
        path.write_bytes(voxels.tobytes(order="F"))
        self.call("write", url=url, begin=begin, end=end, data=str(path))

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def volumes(tmp_path_factory):
    side = OurVolumes(tmp_path_factory.mktemp("voxels"))
    yield side
    side.close()
