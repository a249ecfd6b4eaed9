"""Writes the golden volumes of this folder with TensorStore, cloud-volume and compresso, and their MANIFEST.json.

    python test-fixtures/precomputed/generate.py

needs the packages named in `versions` of MANIFEST.json. Voxels are made here from a fixed formula; the manifest holds
the sha256 of every file and of each volume's voxels (little-endian, x fastest, then y, z, channel).
"""

import hashlib
import importlib.metadata
import json
import pathlib
import shutil

import compresso
import numpy as np
import tensorstore as ts
from cloudvolume import CloudVolume

HERE = pathlib.Path(__file__).parent
SIZE, CHUNK = (23, 17, 11), (12, 8, 8)


def voxels(dtype, channels=1, size=SIZE, smooth=False):
    """Blobs of 12 values that use the whole range of the type, with single odd voxels; or a smooth picture."""
    dtype = np.dtype(dtype)
    x, y, z, c = np.ogrid[: size[0], : size[1], : size[2], :channels]
    if smooth:
        return np.asfortranarray(np.clip(128 + 60 * np.sin(x / 7 + c) + 50 * np.cos((y + 3 * z) / 9), 0, 255).astype(dtype))
    cells = ((x + y // 3) // 5 + 3 * ((y + z // 2) // 6) + 5 * (z // 4) + 7 * c) % 12
    cells = np.where((7 * x + 13 * y + 29 * z + c) % 61 == 0, (cells + 5) % 12, cells)
    if dtype.kind == "f":
        values = (np.arange(12) * 1.25 - 3).astype(dtype)
    else:
        top = int(np.iinfo(dtype).max)
        values = np.array([0, top, top // 3, 1, 2, 3, 7, top - 1, top // 2, top // 5, 6, 5], dtype=dtype)
    return np.asfortranarray(values[cells])


def info(encoding, dtype, channels=1, offset=(0, 0, 0), sharding=None, **members):
    scale = {
        "key": "8_8_40",
        "size": list(SIZE),
        "resolution": [8, 8, 40],
        "voxel_offset": list(offset),
        "chunk_sizes": [list(CHUNK)],
        "encoding": encoding,
        **members,
    }
    if encoding == "compressed_segmentation":
        scale.setdefault("compressed_segmentation_block_size", [4, 4, 4])
    if sharding:
        scale["sharding"] = sharding
    kind = "segmentation" if channels == 1 and np.dtype(dtype).kind == "u" else "image"
    return {"type": kind, "data_type": dtype, "num_channels": channels, "scales": [scale]}


def spec(hash, preshift, minishard, shard, index, data):
    return {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": hash,
        "preshift_bits": preshift,
        "minishard_bits": minishard,
        "shard_bits": shard,
        "minishard_index_encoding": index,
        "data_encoding": data,
    }


def with_tensorstore(folder, description, data):
    scale = dict(description["scales"][0])
    scale["chunk_size"] = scale.pop("chunk_sizes")[0]
    volume = ts.open(
        {
            "driver": "neuroglancer_precomputed",
            "kvstore": {"driver": "file", "path": f"{folder}/"},
            "multiscale_metadata": {k: description[k] for k in ("type", "data_type", "num_channels")},
            "scale_metadata": scale,
        },
        create=True,
    ).result()
    with ts.Transaction() as transaction:
        volume.with_transaction(transaction)[...] = data


def with_cloudvolume(folder, description, data, compress):
    volume = CloudVolume(f"file://{folder}", info=description, progress=False, compress=compress)
    volume.commit_info()
    volume[:, :, :] = data


def cloudvolume_shard(folder, description, data):
    volume = CloudVolume(f"file://{folder}", info=description, progress=False)
    volume.commit_info()
    name, shard = volume.image.make_shard(data, volume.bounds, mip=0, progress=False)
    (folder / "8_8_40").mkdir()
    (folder / "8_8_40" / name).write_bytes(shard)


def split_shards(folder, minishard_bits):
    """The layout before 2020: the shard index in a file of its own, offsets from the start of the other."""
    for path in (folder / "8_8_40").glob("*.shard"):
        content, cut = path.read_bytes(), 16 << minishard_bits
        path.with_suffix(".index").write_bytes(content[:cut])
        path.with_suffix(".data").write_bytes(content[cut:])
        path.unlink()


def compresso_chunks(folder, dtype, **options):
    """A volume of one chunk, encoded by the compresso package itself with settings cloud-volume does not reach."""
    description = info("compresso", dtype)
    description["scales"][0]["chunk_sizes"] = [list(SIZE)]
    data = voxels(dtype)
    (folder / "8_8_40").mkdir(parents=True)
    (folder / "info").write_text(json.dumps(description))
    stream = compresso.compress(np.asfortranarray(data[..., 0]), **options)
    (folder / "8_8_40" / "0-23_0-17_0-11").write_bytes(stream)
    return data


def cases():
    """name → function that fills a folder and returns the voxels it holds."""

    def tensorstore(description, **how):
        def make(folder):
            data = voxels(description["data_type"], description["num_channels"], **how)
            with_tensorstore(folder, description, data)
            return data

        return make

    def cloudvolume(description, compress, write=with_cloudvolume):
        def make(folder):
            data = voxels(description["data_type"], description["num_channels"])
            write(folder, description, data, compress) if write is with_cloudvolume else write(folder, description, data)
            return data

        return make

    for dtype in ("uint8", "int16", "uint32", "uint64", "float32"):
        yield f"tensorstore-raw-{dtype}", tensorstore(info("raw", dtype, offset=(-5, 508, 2)))
    yield "tensorstore-cseg-uint64", tensorstore(info("compressed_segmentation", "uint64", offset=(12, 0, 3)))
    odd = info("compressed_segmentation", "uint32", 2, compressed_segmentation_block_size=[5, 3, 2])
    yield "tensorstore-cseg-uint32-2-channels", tensorstore(odd)
    yield "tensorstore-png-uint8", tensorstore(info("png", "uint8"))
    yield "tensorstore-png-uint16-3-channels", tensorstore(info("png", "uint16", 3))
    yield "tensorstore-jpeg", tensorstore(info("jpeg", "uint8", jpeg_quality=95), smooth=True)
    yield "tensorstore-jpeg-3-channels", tensorstore(info("jpeg", "uint8", 3, jpeg_quality=95), smooth=True)
    gzipped = spec("identity", 1, 2, 2, "gzip", "gzip")
    yield "tensorstore-sharded-gzip", tensorstore(info("compressed_segmentation", "uint64", offset=(3, 4, 5), sharding=gzipped))
    plain = spec("murmurhash3_x86_128", 0, 1, 5, "raw", "raw")
    yield "tensorstore-sharded-murmur", tensorstore(info("raw", "uint16", sharding=plain))

    def legacy(folder):
        data = tensorstore(info("raw", "uint32", sharding=spec("identity", 0, 2, 3, "gzip", "raw")))(folder)
        split_shards(folder, 2)
        return data

    yield "legacy-index-and-data", legacy

    for compress in ("gzip", "br", "zstd"):
        yield f"cloudvolume-cseg-{compress}", cloudvolume(info("compressed_segmentation", "uint64", offset=(7, -9, 0)), compress)
    yield "cloudvolume-compresso-gzip", cloudvolume(info("compresso", "uint64"), "gzip")
    yield "cloudvolume-sharded", cloudvolume(
        info("raw", "uint64", sharding=spec("identity", 2, 3, 0, "gzip", "gzip")), None, cloudvolume_shard
    )

    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        yield f"compresso-{dtype}", lambda folder, dtype=dtype: compresso_chunks(folder, dtype)
    yield "compresso-version-0", lambda folder: compresso_chunks(folder, "uint64", random_access_z_index=False)
    yield "compresso-6-connected", lambda folder: compresso_chunks(
        folder, "uint32", connectivity=6, random_access_z_index=False
    )
    yield "compresso-8x8x1", lambda folder: compresso_chunks(folder, "uint64", steps=(8, 8, 1))

    def shouted(folder):
        description = {**info("raw", "uint8"), "data_type": "UINT8", "mesh": "mesh", "vendor": {"n": 1}}
        data = tensorstore(info("raw", "uint8"))(folder)
        (folder / "info").write_text(json.dumps(description))
        return data

    yield "upper-case-and-unknown-members", shouted


def main():
    manifest = {
        "generator": "generate.py",
        "versions": {
            name: importlib.metadata.version(name)
            for name in ("tensorstore", "cloud-volume", "cloud-files", "compresso", "compressed-segmentation", "numpy")
        },
        "cases": {},
    }
    for name, make in cases():
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        data = make(folder)
        (folder / "provenance").unlink(missing_ok=True)
        entry = {"voxels": hashlib.sha256(data.tobytes(order="F")).hexdigest()}
        if "jpeg" in name:  # lossy: the test compares with the original, within a tolerance
            (folder / "voxels.bin").write_bytes(data.tobytes(order="F"))
        entry["files"] = {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        manifest["cases"][name] = entry
    (HERE / "MANIFEST.json").write_text(json.dumps(manifest, indent=1) + "\n")


main()
