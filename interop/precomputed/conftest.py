"""Starts our side of the precomputed interop tests once and talks to it line by line."""

import pathlib

import numpy as np
import pytest
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


class OurSide(NodePeer):
    """The Node process that reads and writes volumes with neuroglancer-precomputed."""

    def write(self, folder, info, voxels):
        self.call("write", folder=str(folder), info=info, data=self.dump(voxels))

    def read(self, folder, info, scale=0):
        out = self.scratch / "read.bin"
        self.call("read", folder=str(folder), out=str(out), scale=scale)
        shape = [*info["scales"][scale]["size"], info["num_channels"]]
        return np.fromfile(out, dtype=info["data_type"]).reshape(shape, order="F")

    def patch(self, folder, position, voxels):
        self.call("patch", folder=str(folder), position=position, data=self.dump(voxels))

    def remove(self, folder, position):
        self.call("remove", folder=str(folder), position=position)

    def list(self, folder):
        return self.call("list", folder=str(folder))


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    side = OurSide(SCRIPT, tmp_path_factory.mktemp("voxels"))
    yield side
    side.close()
