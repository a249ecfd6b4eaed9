"""Starts our side of the voxel kernel tests once and talks to it line by line."""

import pathlib

import numpy as np
import pytest
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


class OurKernels(NodePeer):
    """The Node process that runs @pcg/kernels and @pcg/multicut. Arrays here are (x, y, z)."""

    def run(self, op, shape, dtype, **arguments):
        """What the operation wrote, and what it answered."""
        out = self.scratch / "out.bin"
        files = {
            name: self.dump(value, f"{name}.bin") if isinstance(value, np.ndarray) else value
            for name, value in arguments.items()
        }
        answer = self.call(op, size=list(shape), out=str(out), **files)
        return np.fromfile(out, dtype=dtype).reshape(shape, order="F"), answer


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    side = OurKernels(SCRIPT, tmp_path_factory.mktemp("voxels"))
    yield side
    side.close()
