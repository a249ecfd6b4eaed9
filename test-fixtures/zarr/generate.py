"""Writes the zarr golden files with the reference implementations, and MANIFEST.json with what they hold.

python generate.py   (zarr 3.1.6, tensorstore 0.1.86, numcodecs 0.16.6, numpy 2.4.6)

`voxels` is the sha256 of all voxels, little-endian, x fastest, then y, z, channel.
"""

import hashlib
import json
import pathlib
import shutil

import numcodecs
import numpy as np
import tensorstore as ts
import zarr

HERE = pathlib.Path(__file__).parent
CASES = {}


def labels(shape, dtype, seed=0):
    random = np.random.default_rng(seed)
    count = int(np.prod(shape))
    if np.dtype(dtype).kind == "f":
        values = random.normal(size=count // 6 + 1).astype(dtype)
    else:
        info = np.iinfo(dtype)
        low, high = info.min, info.max
        values = random.integers(low, high, size=count // 6 + 1, dtype=info.dtype.newbyteorder("="), endpoint=True)
    return np.repeat(values, 6)[:count].reshape(shape)


def record(name, voxels_xyzc, **facts):
    data = np.asarray(voxels_xyzc)
    little = data.astype(data.dtype.newbyteorder("<"))
    CASES[name] = {
        "voxels": hashlib.sha256(little.tobytes(order="F")).hexdigest(),
        "size": list(data.shape[:3]),
        "channels": data.shape[3],
        "dataType": data.dtype.newbyteorder("=").name,
        **facts,
    }


def zyx(array):
    return array.T[..., None]


def ome(version, scales):
    datasets = [
        {
            "path": path,
            "coordinateTransformations": [
                {"type": "scale", "scale": scale},
                {"type": "translation", "translation": translation},
            ],
        }
        for path, scale, translation in scales
    ]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    multiscales = [{"axes": axes, "datasets": datasets, "name": "golden"}]
    if version == "0.4":
        return {"multiscales": [{"version": "0.4", **multiscales[0]}], "image-label": {"version": "0.4"}}
    return {"ome": {"version": "0.5", "multiscales": multiscales, "image-label": {}}}


def v2(name, dtype, order="C", compressor=None, separator="/", shape=(9, 10, 11), chunks=(5, 8, 6), fill=0, filters=None):
    voxels = labels(shape, dtype)
    array = zarr.create_array(
        HERE / name,
        shape=shape,
        dtype=dtype,
        chunks=chunks,
        order=order,
        compressors=compressor,
        filters=filters,
        fill_value=fill,
        zarr_format=2,
        chunk_key_encoding={"name": "v2", "separator": separator},
    )
    array[...] = voxels
    record(name, zyx(voxels), chunkSize=list(chunks[::-1]))


def v3(name, dtype, chunk, codecs, shape=(9, 10, 11), fill=0, hole=None):
    voxels = labels(shape, dtype)
    metadata = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "codecs": codecs,
        "fill_value": fill,
    }
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{HERE / name}/"}, "metadata": metadata}
    if hole is not None:
        voxels[hole] = fill
    ts.open(spec, create=True).result().write(voxels).result()
    record(name, zyx(voxels))


def multiscale(name, version):
    base = labels((8, 16, 16), "uint64", seed=7)
    group = zarr.open_group(HERE / name, mode="w", zarr_format=2 if version == "0.4" else 3)
    levels = [("s0", base, [0.04, 0.008, 0.008], [0.2, 0.08, 0.04]), ("s1", base[:, ::2, ::2], [0.04, 0.016, 0.016], [0.2, 0.084, 0.044])]
    for path, voxels, _, _ in levels:
        extra = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} if version == "0.4" else {"dimension_names": ["z", "y", "x"]}
        group.create_array(path, shape=voxels.shape, dtype="uint64", chunks=(8, 8, 8), **extra)[...] = voxels
    group.attrs.update(ome(version, [(path, scale, translation) for path, _, scale, translation in levels]))
    record(name, zyx(base), voxelOffset=[5, 10, 5], resolution=[8, 8, 40])


def bytes_codec(endian="little"):
    return {"name": "bytes", "configuration": {"endian": endian}}


def sharding(chunk, codecs, location="end"):
    index = [bytes_codec(), {"name": "crc32c"}]
    configuration = {"chunk_shape": chunk, "codecs": codecs, "index_codecs": index, "index_location": location}
    return {"name": "sharding_indexed", "configuration": configuration}


ZSTD = {"name": "zstd", "configuration": {"level": 3, "checksum": False}}

for child in HERE.iterdir():
    if child.is_dir():
        shutil.rmtree(child)

v2("v2-blosc-uint64", "<u8", compressor=numcodecs.Blosc(cname="zstd", clevel=5, shuffle=1))
v2("v2-big-endian-fortran-zlib-int32", ">i4", order="F", compressor=numcodecs.Zlib(level=5), separator=".")
v2("v2-gzip-uint16", "<u2", compressor=numcodecs.GZip(level=5), separator=".")
v2("v2-lz4-uint32", "<u4", compressor=numcodecs.LZ4(), order="F")
v2("v2-raw-float64", "<f8")
v2("v2-zstd-int8", "|i1", compressor=numcodecs.Zstd(level=1))
v3("v3-transposed-big-endian-uint64", "uint64", [5, 8, 6], [{"name": "transpose", "configuration": {"order": [1, 2, 0]}}, bytes_codec("big"), ZSTD])
v3("v3-gzip-crc32c-float32", "float32", [5, 8, 6], [bytes_codec(), {"name": "gzip", "configuration": {"level": 5}}, {"name": "crc32c"}])
v3("v3-sharded-uint64", "uint64", [8, 8, 10], [sharding([4, 4, 5], [bytes_codec(), ZSTD])])
v3("v3-sharded-index-at-start-uint16", "uint16", [8, 8, 10], [sharding([4, 4, 5], [bytes_codec()], "start")])
v3("v3-shards-in-shards-uint32", "uint32", [8, 8, 10], [sharding([4, 8, 10], [sharding([2, 4, 5], [bytes_codec(), ZSTD])])])
v3("v3-sharded-with-holes-and-fill", "uint64", [8, 8, 10], [sharding([4, 4, 5], [bytes_codec(), ZSTD])], fill=2**64 - 1, hole=np.s_[0:8, 4:8, :])
multiscale("ome-0.4", "0.4")
multiscale("ome-0.5", "0.5")

for name in CASES:
    files = sorted(path for path in (HERE / name).rglob("*") if path.is_file())
    CASES[name]["files"] = {
        str(path.relative_to(HERE / name)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
versions = {"zarr": zarr.__version__, "tensorstore": "0.1.86", "numcodecs": numcodecs.__version__, "numpy": np.__version__}
manifest = {"generator": "generate.py", "versions": versions, "cases": CASES}
(HERE / "MANIFEST.json").write_text(json.dumps(manifest, indent=1) + "\n")
