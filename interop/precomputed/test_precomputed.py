"""neuroglancer-precomputed against TensorStore and cloud-volume, both ways."""

import json
import pathlib

import numpy as np
import pytest
import tensorstore as ts
from cases import ALL, SHARDED, UNSHARDED, make_info, sharding, voxels_of
from cloudvolume import CloudVolume

JPEG_TOLERANCE = 8


def assert_same(actual, expected, info):
    assert actual.shape == expected.shape
    if info["scales"][0]["encoding"] == "jpeg":
        assert np.abs(actual.astype(int) - expected.astype(int)).max() <= JPEG_TOLERANCE
    else:
        np.testing.assert_array_equal(actual, expected)


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(pathlib.Path(folder).rglob("*"))
        if path.is_file() and path.name not in ("info", "provenance")
    }


def tensorstore_write(folder, info, voxels):
    scale = dict(info["scales"][0])
    scale["chunk_size"] = scale.pop("chunk_sizes")[0]
    volume = ts.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{folder}/"},
            "multiscale_metadata": {k: info[k] for k in ("type", "data_type", "num_channels")},
            "scale_metadata": scale,
        },
        create=True,
    ).result()
    # One transaction: a shard is then written once instead of once per chunk.
    with ts.Transaction() as transaction:
        volume.with_transaction(transaction)[...] = voxels


def tensorstore_read(folder):
    volume = ts.open(
        {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{folder}/"}}
    ).result()
    return volume.read().result(), tuple(volume.domain.inclusive_min[:3])


@pytest.mark.parametrize("name", ALL)
def test_tensorstore_reads_what_we_write(ours, tmp_path, name):
    info, voxels = ALL[name], voxels_of(ALL[name])
    ours.write(tmp_path, info, voxels)
    read, origin = tensorstore_read(tmp_path)
    assert origin == tuple(info["scales"][0]["voxel_offset"])
    assert_same(read, voxels, info)


@pytest.mark.parametrize("name", ALL)
def test_we_read_what_tensorstore_writes(ours, tmp_path, name):
    info, voxels = ALL[name], voxels_of(ALL[name])
    tensorstore_write(tmp_path, info, voxels)
    assert_same(ours.read(tmp_path, info), voxels, info)


@pytest.mark.parametrize("name", [n for n in ALL if "png" not in n and "jpeg" not in n and "gzip" not in json.dumps(ALL[n])])
def test_our_files_are_tensorstores_byte_for_byte(ours, tmp_path, name):
    info, voxels = ALL[name], voxels_of(ALL[name])
    ours.write(tmp_path / "ours", info, voxels)
    tensorstore_write(tmp_path / "theirs", info, voxels)
    mine, theirs = files_of(tmp_path / "ours"), files_of(tmp_path / "theirs")
    # TensorStore leaves out chunks of zeros alone; we write what we are given.
    assert {name: data for name, data in mine.items() if name in theirs or any(data)} == theirs


def cloudvolume_can(name, *, write=False):
    """TensorStore alone is the peer where cloud-volume 12.15.2 has no say: its png codec is an extra of its own, it takes
    the channels beside each other in a picture for planes (also in a jpeg it wrote itself), and writes one channel only
    of compressed_segmentation."""
    info = ALL[name]
    encoding, channels = info["scales"][0]["encoding"], info["num_channels"]
    if encoding == "png":
        return False
    return channels == 1 or encoding == "raw" or (write and encoding == "jpeg") or (not write and encoding != "jpeg")


CLOUDVOLUME_READS = [name for name in ALL if cloudvolume_can(name)]


@pytest.mark.parametrize("name", CLOUDVOLUME_READS)
def test_cloudvolume_reads_what_we_write(ours, tmp_path, name):
    info, voxels = ALL[name], voxels_of(ALL[name])
    ours.write(tmp_path, info, voxels)
    volume = CloudVolume(f"file://{tmp_path}", progress=False, cache=False)
    assert_same(np.asarray(volume[:, :, :]), voxels, info)


CLOUDVOLUME_WRITES = [name for name in UNSHARDED if cloudvolume_can(name, write=True)]


@pytest.mark.parametrize("compress", [None, "gzip", "br", "zstd"])
@pytest.mark.parametrize("name", CLOUDVOLUME_WRITES)
def test_we_read_what_cloudvolume_writes(ours, tmp_path, name, compress):
    info, voxels = UNSHARDED[name], voxels_of(UNSHARDED[name])
    volume = CloudVolume(f"file://{tmp_path}", info=info, progress=False, compress=compress)
    volume.commit_info()
    volume[:, :, :] = voxels
    assert_same(ours.read(tmp_path, info), voxels, info)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("size", [(99, 98, 47), (64, 64, 64), (1, 1, 1), (7, 5, 3)])
def test_we_read_compresso_of_cloudvolume(ours, tmp_path, dtype, size):
    info = make_info("compresso", dtype, size=size, offset=(1, -2, 3), type="segmentation")
    voxels = voxels_of(info)
    volume = CloudVolume(f"file://{tmp_path}", info=info, progress=False)
    volume.commit_info()
    volume[:, :, :] = voxels
    assert_same(ours.read(tmp_path, info), voxels, info)


@pytest.mark.parametrize("hash", ["identity", "murmurhash3_x86_128"])
@pytest.mark.parametrize("encodings", [("raw", "raw"), ("gzip", "gzip")])
def test_we_read_shards_of_cloudvolume(ours, tmp_path, hash, encodings):
    """cloud-volume puts the minishard indices behind all data, in the order in which it met them."""
    spec = sharding(hash, 1, 2, 0, *encodings)
    info = make_info("compressed_segmentation", "uint64", size=(99, 98, 47), offset=(5, 0, 2), spec=spec)
    voxels = voxels_of(info)
    volume = CloudVolume(f"file://{tmp_path}", info=info, progress=False)
    volume.commit_info()
    name, shard = volume.image.make_shard(voxels, volume.bounds, mip=0, progress=False)
    (tmp_path / "8_8_40").mkdir()
    (tmp_path / "8_8_40" / name).write_bytes(shard)
    assert_same(ours.read(tmp_path, info), voxels, info)


@pytest.mark.parametrize("name", [n for n in SHARDED if "jpeg" not in n and "one-chunk" not in n])
def test_chunks_change_inside_shards_of_tensorstore(ours, tmp_path, name):
    """One chunk rewritten, one deleted; the others of the shard stay, and TensorStore reads it all."""
    info, voxels = SHARDED[name], voxels_of(SHARDED[name])
    tensorstore_write(tmp_path, info, voxels)
    patch = np.asfortranarray(voxels[50:99, 0:25, 0:13][::-1])
    ours.patch(tmp_path, [1, 0, 0], patch)
    ours.remove(tmp_path, [0, 1, 1])
    expected = voxels.copy()
    expected[50:99, 0:25, 0:13] = patch
    expected[0:50, 25:50, 13:26] = 0
    read, _ = tensorstore_read(tmp_path)
    np.testing.assert_array_equal(read, expected)
    np.testing.assert_array_equal(ours.read(tmp_path, info), expected)
    total = len(ours.list(tmp_path))
    assert total == np.prod([-(-n // c) for n, c in zip(info["scales"][0]["size"], (50, 25, 13))]) - 1


def test_a_chunk_rewritten_beside_a_compressed_one_is_what_cloudvolume_reads(ours, tmp_path):
    info = make_info()
    voxels = voxels_of(info)
    volume = CloudVolume(f"file://{tmp_path}", info=info, progress=False, compress="gzip")
    volume.commit_info()
    volume[:, :, :] = voxels
    patch = np.asfortranarray(voxels[0:50, 0:25, 0:13][::-1])
    ours.patch(tmp_path, [0, 0, 0], patch)
    expected = voxels.copy()
    expected[0:50, 0:25, 0:13] = patch
    fresh = CloudVolume(f"file://{tmp_path}", progress=False, cache=False)
    np.testing.assert_array_equal(np.asarray(fresh[:, :, :]), expected)


def test_missing_chunks_are_background_for_everyone(ours, tmp_path):
    for name, spec in (("files", None), ("shards", sharding("identity", 1, 2, 3, "gzip", "gzip"))):
        info = make_info(spec=spec, size=(99, 98, 97))
        voxels = np.zeros((99, 98, 97, 1), dtype=np.uint64, order="F")
        voxels[60, 70, 80] = 2**64 - 1
        # TensorStore leaves out chunks that are all background.
        tensorstore_write(tmp_path / name, info, voxels)
        assert len(ours.list(tmp_path / name)) == 1
        np.testing.assert_array_equal(ours.read(tmp_path / name, info), voxels)
