"""The matrix of zarr arrays that the peers write for us to read. Shapes are in the arrays' own dimensions."""

import itertools

import numpy as np

DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]

V2_COMPRESSORS = {
    "none": None,
    "gzip": {"id": "gzip", "level": 5},
    "zlib": {"id": "zlib", "level": 3},
    "zstd": {"id": "zstd", "level": 3},
    "lz4": {"id": "lz4", "acceleration": 1},
    "blosc-lz4": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0},
    "blosc-zstd-bits": {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2, "blocksize": 0},
    "blosc-blosclz": {"id": "blosc", "cname": "blosclz", "clevel": 9, "shuffle": 0, "blocksize": 0},
    "blosc-zlib": {"id": "blosc", "cname": "zlib", "clevel": 1, "shuffle": 1, "blocksize": 512},
}

V3_COMPRESSORS = {
    "none": [],
    "gzip": [{"name": "gzip", "configuration": {"level": 5}}],
    "zstd": [{"name": "zstd", "configuration": {"level": 3, "checksum": False}}],
    "zstd-checksum": [{"name": "zstd", "configuration": {"level": 1, "checksum": True}}],
    "crc32c": [{"name": "crc32c"}],
    "zstd-crc32c": [{"name": "zstd", "configuration": {"level": 3, "checksum": False}}, {"name": "crc32c"}],
    "blosc": [
        {
            "name": "blosc",
            "configuration": {"typesize": 4, "cname": "lz4", "clevel": 5, "shuffle": "bitshuffle", "blocksize": 0},
        }
    ],
}


def voxels_of(shape, dtype, seed=0):
    """Values over the whole range of the type, in runs along the last dimension."""
    random = np.random.default_rng(seed)
    count = int(np.prod(shape))
    if np.dtype(dtype).kind == "f":
        values = random.normal(scale=1e6, size=count // 5 + 1).astype(dtype)
    else:
        info = np.iinfo(dtype)
        values = random.integers(info.min, info.max, size=count // 5 + 1, dtype=dtype, endpoint=True)
    return np.repeat(values, 5)[:count].reshape(shape)


def xyzc(array, axes):
    """An array with named axes as (x, y, z, channel)."""
    order = [axes.index(name) for name in "xyzc" if name in axes]
    rest = [axis for axis, name in enumerate(axes) if name not in "xyzc"]
    moved = np.transpose(array, order + rest)
    moved = moved.reshape(moved.shape[: len(order)])
    if "z" not in axes:
        moved = moved[:, :, None]
    return moved if "c" in axes else moved[..., None]


def v2_cases():
    """Every data type and every compressor in both byte and memory orders, the rest in turns."""
    turns = itertools.cycle(["/", "."])
    compressors = itertools.cycle(V2_COMPRESSORS)
    for dtype, order, endian in itertools.product(DTYPES, "CF", "<>"):
        for _ in range(2):
            yield {"dtype": dtype, "order": order, "endian": endian, "separator": next(turns), "compressor": next(compressors)}


def bytes_codec(endian="little"):
    return {"name": "bytes", "configuration": {"endian": endian}}


def sharding(chunk, codecs, location="end", index=None):
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": chunk,
            "codecs": codecs,
            "index_codecs": index or [bytes_codec(), {"name": "crc32c"}],
            "index_location": location,
        },
    }


def transpose(order):
    return {"name": "transpose", "configuration": {"order": order}}


def v3_cases():
    """Chunk shape and codecs by name, for an array of three dimensions."""
    cases = {}
    for name, codecs in V3_COMPRESSORS.items():
        cases[name] = ([7, 8, 9], [bytes_codec(), *codecs])
        cases[f"sharded {name}"] = ([16, 12, 18], [sharding([8, 6, 6], [bytes_codec(), *codecs])])
    zstd = V3_COMPRESSORS["zstd"]
    cases["big-endian"] = ([7, 8, 9], [bytes_codec("big"), *zstd])
    cases["transposed"] = ([7, 8, 9], [transpose([2, 0, 1]), bytes_codec(), *zstd])
    cases["transposed twice"] = ([7, 8, 9], [transpose([2, 1, 0]), transpose([1, 0, 2]), bytes_codec()])
    cases["index at start"] = ([16, 12, 18], [sharding([8, 6, 6], [bytes_codec(), *zstd], "start")])
    cases["index without checksum"] = ([16, 12, 18], [sharding([8, 6, 6], [bytes_codec()], "end", [bytes_codec()])])
    cases["index big-endian"] = (
        [16, 12, 18],
        [sharding([8, 6, 6], [bytes_codec()], "end", [bytes_codec("big"), {"name": "crc32c"}])],
    )
    cases["transposed in shards"] = (
        [16, 12, 18],
        [sharding([8, 6, 6], [transpose([1, 2, 0]), bytes_codec(), *zstd])],
    )
    cases["shards transposed"] = (
        [16, 12, 18],
        [transpose([1, 2, 0]), sharding([6, 6, 8], [transpose([2, 0, 1]), bytes_codec(), *zstd])],
    )
    cases["shards in shards"] = (
        [16, 12, 18],
        [sharding([8, 6, 18], [sharding([4, 6, 9], [bytes_codec(), *zstd], "start")])],
    )
    return cases
