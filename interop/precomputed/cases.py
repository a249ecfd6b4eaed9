"""The volumes of the matrix: encodings x data types x channels x offsets x odd sizes x sharding."""

import itertools
import zlib

import numpy as np


def sharding(hash="identity", preshift=0, minishard=0, shard=0, index="raw", data="raw"):
    return {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": hash,
        "preshift_bits": preshift,
        "minishard_bits": minishard,
        "shard_bits": shard,
        "minishard_index_encoding": index,
        "data_encoding": data,
    }


def make_info(
    encoding="raw",
    dtype="uint64",
    channels=1,
    size=(99, 98, 47),
    chunk=(50, 25, 13),
    offset=(0, 0, 0),
    block=(8, 8, 8),
    spec=None,
    type=None,
    **members,
):
    scale = {
        "key": "8_8_40",
        "size": list(size),
        "resolution": [8, 8, 40],
        "voxel_offset": list(offset),
        "chunk_sizes": [list(chunk)],
        "encoding": encoding,
        **members,
    }
    if encoding == "compressed_segmentation":
        scale["compressed_segmentation_block_size"] = list(block)
    if spec is not None:
        scale["sharding"] = spec
    if type is None:
        type = "segmentation" if channels == 1 and dtype in ("uint32", "uint64") else "image"
    return {
        "@type": "neuroglancer_multiscale_volume",
        "type": type,
        "data_type": dtype,
        "num_channels": channels,
        "scales": [scale],
    }


def voxels_of(info):
    """Cells of constant value with some noise, over the whole range of the data type; same every time."""
    scale = info["scales"][0]
    dtype = np.dtype(info["data_type"])
    shape = [*scale["size"], info["num_channels"]]
    random = np.random.default_rng(zlib.crc32(repr((shape, dtype.str, scale["encoding"])).encode()))
    grid = np.meshgrid(*[np.arange(n) // k for n, k in zip(shape, (9, 7, 5, 1))], indexing="ij", sparse=True)
    cells = sum(g.astype(np.int64) * f for g, f in zip(grid, (1, 31, 77, 5))) % 61
    noise = random.random(shape) < 0.02
    cells = np.where(noise, random.integers(0, 61, shape), cells)
    if scale["encoding"] == "jpeg":  # smooth, so that the loss stays small
        ramp = sum(np.sin(np.arange(n) / 11.0 + i).reshape([-1 if a == i else 1 for a in range(4)]) for i, n in enumerate(shape))
        return np.clip(128 + 25 * ramp, 0, 255).astype(dtype)
    if dtype.kind == "f":
        values = random.normal(size=61).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        values = random.integers(limits.min, limits.max, 61, dtype=dtype, endpoint=True)
        values[:3] = [0, limits.max, limits.min]
        if dtype == np.uint64:
            values[3:5] = [2**53 + 1, 2**63 + 1]
    return np.asfortranarray(values[cells])


def unsharded():
    for dtype in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float32"):
        yield f"raw-{dtype}", make_info(dtype=dtype, offset=(10, 508, 3))
    yield "raw-negative-offset", make_info(offset=(-60, -7, -100))
    yield "raw-far-offset", make_info(offset=(2**31 - 200, 2**30, 5), size=(130, 9, 9))
    yield "raw-3-channels", make_info(dtype="uint8", channels=3)
    yield "raw-2-channels-float", make_info(dtype="float32", channels=2, offset=(1, 2, 3))
    yield "raw-one-voxel", make_info(size=(1, 1, 1), chunk=(64, 64, 64))
    yield "raw-chunk-of-one", make_info(size=(3, 2, 2), chunk=(1, 1, 1), offset=(-1, 0, 1))
    for dtype, block in itertools.product(("uint32", "uint64"), ((8, 8, 8), (4, 4, 1), (5, 3, 2), (64, 64, 64))):
        name = "x".join(map(str, block))
        yield f"cseg-{dtype}-{name}", make_info("compressed_segmentation", dtype, block=block, offset=(7, 0, 1))
    yield "cseg-2-channels", make_info("compressed_segmentation", "uint32", channels=2, type="image")
    for dtype, channels in itertools.product(("uint8", "uint16"), (1, 2, 3, 4)):
        yield f"png-{dtype}-{channels}", make_info("png", dtype, channels=channels, offset=(5, 6, 7))
    yield "png-level-9", make_info("png", "uint8", png_level=9)
    yield "jpeg-1", make_info("jpeg", "uint8", jpeg_quality=95, offset=(1, 0, 9))
    yield "jpeg-3", make_info("jpeg", "uint8", channels=3, jpeg_quality=95)


def sharded():
    bits = [(0, 0, 0), (0, 3, 3), (1, 2, 3), (2, 0, 5), (6, 0, 0), (0, 0, 7), (3, 2, 4), (1, 1, 2)]
    for hash, (preshift, minishard, shard) in itertools.product(("identity", "murmurhash3_x86_128"), bits):
        spec = sharding(hash, preshift, minishard, shard, "gzip" if preshift % 2 else "raw", "gzip" if minishard % 2 else "raw")
        yield f"sharded-{hash[:3]}-{preshift}-{minishard}-{shard}", make_info("compressed_segmentation", offset=(3, 508, 12), spec=spec)
    for index, data in itertools.product(("raw", "gzip"), repeat=2):
        spec = sharding("identity", 1, 2, 3, index, data)
        yield f"sharded-raw-{index}-{data}", make_info("raw", "uint16", size=(99, 98, 97), spec=spec)
    yield "sharded-png", make_info("png", "uint8", spec=sharding("identity", 0, 2, 4, "gzip", "raw"))
    yield "sharded-jpeg", make_info("jpeg", "uint8", jpeg_quality=95, spec=sharding("identity", 0, 2, 4, "gzip", "raw"))
    yield "sharded-one-chunk", make_info(size=(5, 4, 3), chunk=(64, 64, 64), spec=sharding("identity", 0, 0, 0))
    yield "sharded-wide-name", make_info(spec=sharding("murmurhash3_x86_128", 0, 1, 9))


UNSHARDED = dict(unsharded())
SHARDED = dict(sharded())
ALL = {**UNSHARDED, **SHARDED}
