"""Starts our side of the precomputed interop tests once and talks to it line by line."""

import json
import pathlib
import subprocess

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent


class OurError(Exception):
    """An error of our side; `code` is the stable one."""

    def __init__(self, error):
        super().__init__(f"{error['name']} {error['code']}: {error['message']}")
        self.code = error["code"]


class OurSide:
    """The Node process that reads and writes volumes with neuroglancer-precomputed."""

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

    def write(self, folder, info, voxels):
        self.call("write", folder=str(folder), info=info, data=self._dump(voxels))

    def read(self, folder, info, scale=0):
        out = self.scratch / "read.bin"
        self.call("read", folder=str(folder), out=str(out), scale=scale)
        shape = [*info["scales"][scale]["size"], info["num_channels"]]
        return np.fromfile(out, dtype=info["data_type"]).reshape(shape, order="F")

    def patch(self, folder, position, voxels):
        self.call("patch", folder=str(folder), position=position, data=self._dump(voxels))

    def remove(self, folder, position):
        self.call("remove", folder=str(folder), position=position)

    def list(self, folder):
        return self.call("list", folder=str(folder))

    def _dump(self, voxels):
        path = self.scratch / "write.bin"
        path.write_bytes(voxels.tobytes(order="F"))
        return str(path)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    side = OurSide(tmp_path_factory.mktemp("voxels"))
    yield side
    side.close()
