"""The server under test, once for a volume made here and once for real data."""

import pytest
from world import REAL, World, make_volume, read_volume


@pytest.fixture(scope="module", params=["made", "real"])
def world(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "real" and not REAL.exists():
        pytest.skip(f"the real data is not beside the repository (looked for {REAL})")
    url, labels, offset = make_volume(folder / "volume") if request.param == "made" else read_volume(REAL)
    world = World(url, labels, offset, folder / "data")
    yield world
    assert world.server.stop() == 0
