"""Starts our side of the volume interop tests once and talks to it line by line."""

import pathlib

import numpy as np
import pytest
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


class OurVolumes(NodePeer):
    """The Node process that reads and writes volumes with @pcg/volume. Arrays here are (x, y, z, channel)."""

    def create(self, url, volume, levels, slabs=3):
        files = [self.dump(voxels, f"level-{number}.bin") for number, voxels in enumerate(levels)]
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
        self.call("write", url=url, begin=begin, end=end, data=self.dump(voxels))


@pytest.fixture(scope="session")
def volumes(tmp_path_factory):
    side = OurVolumes(SCRIPT, tmp_path_factory.mktemp("voxels"))
    yield side
    side.close()
