"""Starts our side of the OCDBT interop tests once."""

import pathlib

import pytest
from node_peer import NodePeer

SCRIPT = pathlib.Path(__file__).parent / "peer.mjs"


@pytest.fixture(scope="session")
def our_side(tmp_path_factory):
    side = NodePeer(SCRIPT, tmp_path_factory.mktemp("ocdbt"))
    yield side
    side.close()
