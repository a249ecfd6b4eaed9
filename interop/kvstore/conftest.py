"""Starts our side of the kvstore interop tests once and talks to it line by line."""

import pathlib

import pytest
from node_peer import NodePeer, OurError

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


class OurSide(NodePeer):
    """The Node process that opens stores by the JSON TensorStore opens them by. Keys and values are bytes."""

    def spec(self, spec):
        return self.call("spec", spec=spec)

    def read(self, spec, key):
        value = self.call("read", spec=spec, key=key.hex())
        return None if value is None else bytes.fromhex(value)

    def write(self, spec, key, value):
        self.call("write", spec=spec, key=key.hex(), value=None if value is None else value.hex())

    def list(self, spec, start=b"", end=b""):
        return [bytes.fromhex(key) for key in self.call("list", spec=spec, start=start.hex(), end=end.hex() or None)]

    def delete_range(self, spec, start=b"", end=b""):
        self.call("deleteRange", spec=spec, start=start.hex(), end=end.hex() or None)

    def sweep(self, folder, locking):
        return self.call("sweep", folder=str(folder), locking=locking)


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    side = OurSide(SCRIPT, tmp_path_factory.mktemp("scratch"))
    yield side
    side.close()


@pytest.fixture(scope="session")
def our_error():
    return OurError
