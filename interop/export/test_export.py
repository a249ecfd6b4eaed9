"""Volumes that `pcg-graph-server export` wrote, read by TensorStore and cloud-volume beside the server's own objects."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorstore as ts
import zarr
from cloudvolume import CloudVolume

sys.path.append(str(pathlib.Path(__file__).parents[1] / "clients"))
from world import ROOT, TABLE, World, make_volume, same_partition  # noqa: E402

FORMATS = {
    "precomputed": ("", []),
    "precomputed, raw, other chunks": ("", ["--encoding", "raw", "--chunk-size", "50,33,64"]),
    "precomputed, one shard": ("", ["--sharded", "--chunk-size", "30,20,16"]),
    "zarr2": ("|zarr2:", []),
    "zarr3": ("|zarr3:", ["--chunk-size", "40,30,20"]),
    "zarr3, shards": ("|zarr3:", ["--sharded", "--chunk-size", "16,16,8"]),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    world = World(*make_volume(folder / "volume"), folder / "data")
    for _ in range(3):
        world.merge()
    yield world
    assert world.server.stop() == 0


@pytest.fixture(scope="module")
def served(world):
    """What the server shows, and the plain account says, by time (or none: now)."""
    shown = {}
    for time in (None, world.beginning):
        instant = "" if time is None else f"@{time.timestamp():.6f}"
        volume = CloudVolume(f"precomputed://{world.server.url}/objects/{TABLE}{instant}", progress=False, use_https=False)
        shown[time] = np.asarray(volume[:])[..., 0]
        assert same_partition(shown[time], world.objects(time))
    return shown


def export(world, to, options, time):
    when = [] if time is None else ["--time", time.isoformat()]
    program = ["node", str(ROOT / "apps/graph-server/dist/main.js"), "export", "--data", str(world.server.data)]
    command = [*program, "--table", TABLE, "--to", to, "--json", *options, *when]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_holds_what_the_server_shows(world, served, tmp_path, name):
    check(world, served, None, tmp_path, name)


@pytest.mark.parametrize("name", ["precomputed", "zarr3, shards"])
def test_an_export_of_the_past_holds_what_the_server_shows_of_it(world, served, tmp_path, name):
    assert (served[None] != served[world.beginning]).any()
    check(world, served, world.beginning, tmp_path, name)


def check(world, served, time, tmp_path, name):
    objects = served[time]
    stage, options = FORMATS[name]
    report = export(world, f"{tmp_path}{stage}", options, time)
    assert report["objects"] == len(np.unique(objects[objects != 0]))
    assert report["size"] == list(objects.shape)
    if stage == "":
        spec = {"driver": "neuroglancer_precomputed", "kvstore": f"file://{tmp_path}/"}
        volume = ts.open(spec, open=True).result()
        assert list(volume.domain.origin[:3]) == list(world.offset)
        np.testing.assert_array_equal(volume.read().result()[..., 0], objects)
        theirs = CloudVolume(f"precomputed://file://{tmp_path}", progress=False)
        assert list(theirs.resolution) == [8, 8, 40]
        assert theirs.layer_type == "segmentation"
        np.testing.assert_array_equal(np.asarray(theirs[:])[..., 0], objects)
    else:
        spec = {"driver": report["url"].rsplit("|")[-1].rstrip(":").replace("zarr2", "zarr"), "kvstore": f"file://{tmp_path}/0/"}
        volume = ts.open(spec, open=True).result()
        np.testing.assert_array_equal(volume.read().result().T, objects)
        group = zarr.open_group(tmp_path, mode="r")
        np.testing.assert_array_equal(group["0"][:].T, objects)
        if "--sharded" not in options:  # cloud-volume does not read shards of zarr v3
            theirs = CloudVolume(f"{stage.strip('|:')}://file://{tmp_path}", progress=False)
            np.testing.assert_array_equal(np.asarray(theirs[:])[..., 0], objects)
