"""@pcg/volume against zarr-python, TensorStore and the OME-NGFF schemas, both ways."""

import json
import shutil

import numpy as np
import pytest
import tensorstore as ts
import zarr
from node_peer import OurError
from zarr_cases import DTYPES, V2_COMPRESSORS, v2_cases, v3_cases, voxels_of, xyzc

SHAPE = [23, 20, 31]


def tensorstore_spec(folder, metadata):
    driver = "zarr" if "compressor" in metadata else "zarr3"
    return {"driver": driver, "kvstore": {"driver": "file", "path": f"{folder}/"}, "metadata": metadata}


def write_v2(folder, voxels, case, chunks, fill=0):
    metadata = {
        "zarr_format": 2,
        "shape": list(voxels.shape),
        "chunks": chunks,
        "dtype": np.dtype(case["dtype"]).newbyteorder(case["endian"]).str,
        "order": case["order"],
        "compressor": V2_COMPRESSORS[case["compressor"]],
        "dimension_separator": case["separator"],
        "filters": None,
        "fill_value": fill,
    }
    if case["compressor"] in ("lz4",) or (case["compressor"] == "none" and case["order"] == "C"):
        # What TensorStore cannot write, zarr-python does.
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".zarray").write_text(json.dumps(metadata))
        zarr.open_array(folder, mode="r+", zarr_format=2)[...] = voxels
    else:
        ts.open(tensorstore_spec(folder, metadata), create=True).result().write(voxels).result()


def write_v3(folder, voxels, chunk, codecs, fill=0, key_encoding=None, names=None):
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(voxels.shape),
        "data_type": str(voxels.dtype),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": key_encoding or {"name": "default", "configuration": {"separator": "/"}},
        "codecs": codecs,
        "fill_value": fill,
        **({"dimension_names": names} if names else {}),
    }
    ts.open(tensorstore_spec(folder, metadata), create=True).result().write(voxels).result()


@pytest.mark.parametrize("case", list(v2_cases()), ids=lambda case: " ".join(case.values()))
def test_we_read_zarr_v2(volumes, tmp_path, case):
    voxels = voxels_of(SHAPE, case["dtype"])
    write_v2(tmp_path, voxels, case, [9, 8, 16])
    read, facts = volumes.read(f"file://{tmp_path}/|zarr2:")
    assert facts["dataType"] == case["dtype"] and facts["chunkSize"] == [16, 8, 9]
    np.testing.assert_array_equal(read, xyzc(voxels, "zyx"))
    box = volumes.read_box(f"{tmp_path}", [3, 5, 1], [30, 20, 21], case["dtype"])
    np.testing.assert_array_equal(box, xyzc(voxels, "zyx")[3:30, 5:20, 1:21])


@pytest.mark.parametrize("dtype", ["uint64", "uint16", "float32"])
@pytest.mark.parametrize("name", v3_cases())
def test_we_read_zarr_v3(volumes, tmp_path, name, dtype):
    chunk, codecs = v3_cases()[name]
    voxels = voxels_of(SHAPE, dtype)
    write_v3(tmp_path, voxels, chunk, codecs)
    read, _ = volumes.read(f"file://{tmp_path}/|zarr3:")
    np.testing.assert_array_equal(read, xyzc(voxels, "zyx"))
    box = volumes.read_box(f"{tmp_path}", [3, 5, 1], [30, 20, 21], dtype)
    np.testing.assert_array_equal(box, xyzc(voxels, "zyx")[3:30, 5:20, 1:21])


@pytest.mark.parametrize("dtype", DTYPES)
def test_we_read_sharded_arrays_of_zarr_python(volumes, tmp_path, dtype):
    voxels = voxels_of(SHAPE, dtype)
    array = zarr.create_array(tmp_path, shape=SHAPE, dtype=dtype, chunks=(4, 5, 6), shards=(12, 20, 18), zarr_format=3)
    array[...] = voxels
    read, facts = volumes.read(f"{tmp_path}")
    assert facts["chunkSize"] == [6, 5, 4] and facts["writeSize"] == [18, 20, 12]
    np.testing.assert_array_equal(read, xyzc(voxels, "zyx"))


@pytest.mark.parametrize("fill", [0, 2**53 + 1, 2**64 - 1])
@pytest.mark.parametrize("layout", ["v2", "v3", "sharded"])
def test_absent_chunks_are_the_exact_fill_value(volumes, tmp_path, layout, fill):
    voxels = np.full(SHAPE, fill, dtype="uint64")
    voxels[3:5, 7:9, 11:13] = 2**63 + 5
    if layout == "v2":
        case = {"dtype": "uint64", "order": "C", "endian": "<", "separator": "/", "compressor": "zstd"}
        write_v2(tmp_path, voxels, case, [9, 8, 16], fill)
    elif layout == "v3":
        write_v3(tmp_path, voxels, [7, 8, 9], v3_cases()["zstd"][1], fill)
    else:
        write_v3(tmp_path, voxels, *v3_cases()["sharded zstd"], fill)
    read, _ = volumes.read(f"{tmp_path}")
    np.testing.assert_array_equal(read, xyzc(voxels, "zyx"))


@pytest.mark.parametrize(
    ("axes", "shape", "chunk"),
    [
        ("yx", [20, 31], [8, 9]),
        ("xyz", [31, 20, 23], [9, 8, 7]),
        ("czyx", [3, 23, 20, 31], [2, 7, 8, 9]),
        ("zyxc", [23, 20, 31, 3], [7, 8, 9, 3]),
        ("tczyx", [1, 2, 23, 20, 31], [1, 1, 7, 8, 9]),
    ],
)
@pytest.mark.parametrize("version", ["v2", "v3"])
def test_dimensions_are_found_by_their_names(volumes, tmp_path, version, axes, shape, chunk):
    voxels = voxels_of(shape, "uint32")
    if version == "v3":
        write_v3(tmp_path, voxels, chunk, v3_cases()["zstd"][1], names=list(axes))
    else:
        case = {"dtype": "uint32", "order": "F", "endian": ">", "separator": ".", "compressor": "blosc-lz4"}
        write_v2(tmp_path, voxels, case, chunk)
        (tmp_path / ".zattrs").write_text(json.dumps({"_ARRAY_DIMENSIONS": list(axes)}))
    read, _ = volumes.read(f"{tmp_path}")
    np.testing.assert_array_equal(read, xyzc(voxels, axes))


@pytest.mark.parametrize("separator", ["/", "."])
@pytest.mark.parametrize("name", ["default", "v2"])
def test_we_read_every_key_encoding(volumes, tmp_path, name, separator):
    voxels = voxels_of(SHAPE, "int16")
    encoding = {"name": name, "configuration": {"separator": separator}}
    write_v3(tmp_path, voxels, *v3_cases()["zstd"], key_encoding=encoding)
    read, _ = volumes.read(f"{tmp_path}")
    np.testing.assert_array_equal(read, xyzc(voxels, "zyx"))


def our_volume(dtype, **more):
    size = [37, 25, 19]
    scale = {"size": size, "voxelOffset": [13, 707, 101], "resolution": [8, 8, 40], "chunkSize": [16, 8, 8]}
    return {"kind": "segmentation", "dataType": dtype, "scales": [scale], **more}


OURS = {
    "v2 zstd": ("zarr2", {}),
    "v2 gzip": ("zarr2", {"compressor": "gzip"}),
    "v2 blosc": ("zarr2", {"compressor": "blosc"}),
    "v2 raw": ("zarr2", {"compressor": "none"}),
    "v3 zstd": ("zarr3", {}),
    "v3 gzip": ("zarr3", {"compressor": "gzip"}),
    "v3 blosc": ("zarr3", {"compressor": "blosc"}),
    "v3 raw": ("zarr3", {"compressor": "none"}),
    "v3 sharded": ("zarr3", {"shardSize": [32, 16, 8]}),
    "v3 sharded raw": ("zarr3", {"compressor": "none", "shardSize": [16, 32, 24]}),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OURS)
def test_peers_read_what_we_write(volumes, tmp_path, name, dtype, channels):
    scheme, storage = OURS[name]
    voxels = voxels_of([37, 25, 19, channels], dtype)
    volumes.create(f"file://{tmp_path}/|{scheme}:", our_volume(dtype, channels=channels, zarr=storage), [voxels])
    expected = voxels.T if channels > 1 else voxels[..., 0].T
    group = zarr.open_group(tmp_path, mode="r")
    np.testing.assert_array_equal(group["0"][...], expected)
    driver = {"zarr2": "zarr", "zarr3": "zarr3"}[scheme]
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{tmp_path}/0/"}}
    np.testing.assert_array_equal(ts.open(spec).result().read().result(), expected)


@pytest.mark.parametrize("fill", [2**53 + 1, 2**64 - 1])
@pytest.mark.parametrize("scheme", ["zarr2", "zarr3"])
def test_peers_read_our_fill_value(volumes, tmp_path, scheme, fill):
    volumes.create(f"file://{tmp_path}/|{scheme}:", our_volume("uint64", zarr={"fillValue": str(fill)}), [])
    np.testing.assert_array_equal(zarr.open_group(tmp_path, mode="r")["0"][...], np.full([19, 25, 37], fill, "uint64"))


@pytest.mark.parametrize("location", ["start", "end"])
def test_peers_read_a_shard_that_we_changed(volumes, tmp_path, location):
    voxels = voxels_of(SHAPE, "uint64")
    write_v3(tmp_path, voxels, *v3_cases()["index at start" if location == "start" else "sharded zstd"])
    changed = voxels_of([17, 11, 9, 1], "uint64", seed=1)
    volumes.write(f"{tmp_path}", [3, 5, 7], [20, 16, 16], changed)
    voxels[7:16, 5:16, 3:20] = changed[..., 0].T
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{tmp_path}/"}}
    np.testing.assert_array_equal(ts.open(spec).result().read().result(), voxels)
    np.testing.assert_array_equal(zarr.open_array(tmp_path, mode="r")[...], voxels)


@pytest.mark.parametrize("scheme", ["zarr2", "zarr3"])
def test_our_metadata_is_valid_ome_ngff(volumes, tmp_path, scheme):
    models = pytest.importorskip("ome_zarr_models", reason="the pydantic models of the OME-NGFF schemas")
    v04, v05 = models.v04, models.v05
    scales = [
        {"size": [40, 20, 10], "voxelOffset": [2, 4, 6], "resolution": [8, 8, 40]},
        {"size": [20, 10, 10], "voxelOffset": [1, 2, 6], "resolution": [16, 16, 40]},
    ]
    volume = {"kind": "segmentation", "dataType": "uint64", "scales": scales, "name": "cells"}
    volumes.create(f"file://{tmp_path}/|{scheme}:", volume, [])
    group = zarr.open_group(tmp_path, mode="r")
    model = (v04 if scheme == "zarr2" else v05).ImageLabel.from_zarr(group)
    image = (model.attributes if scheme == "zarr2" else model.attributes.ome).multiscales[0]
    assert [axis.name for axis in image.axes] == ["z", "y", "x"]
    scale, translation = image.datasets[1].coordinateTransformations
    assert list(scale.scale) == [40, 16, 16] and list(translation.translation) == [240, 32, 16]


def test_a_damaged_shard_index_is_refused(volumes, tmp_path):
    voxels = voxels_of(SHAPE, "uint64")
    write_v3(tmp_path, voxels, *v3_cases()["sharded zstd"])
    shard = tmp_path / "c/0/0/0"
    content = bytearray(shard.read_bytes())
    content[-20] ^= 1
    shard.write_bytes(content)
    with pytest.raises(OurError) as failure:
        volumes.read(f"{tmp_path}")
    assert failure.value.code == "BAD_CHUNK"


def test_precomputed_and_zarr_hold_the_same_after_a_copy(volumes, tmp_path):
    voxels = voxels_of([37, 25, 19, 1], "uint64")
    for scheme in ("neuroglancer-precomputed", "zarr2", "zarr3"):
        url = f"file://{tmp_path}/{scheme}/|{scheme}:"
        volumes.create(url, our_volume("uint64"), [voxels])
        read, facts = volumes.read(url)
        np.testing.assert_array_equal(read, voxels)
        assert facts["voxelOffset"] == [13, 707, 101] and facts["resolution"] == [8, 8, 40]
    shutil.rmtree(tmp_path)
