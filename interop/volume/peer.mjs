/**
 * Our side of the volume interop tests: reads one JSON command per line, answers one JSON line each.
 * Voxels travel in files, little-endian, x fastest, then y, z, channel.
 *
 *   {"op":"create","url":…,"volume":{…},"data":[file per scale],"slabs":n}  create, then write each scale in n slabs
 *   {"op":"read","url":…,"scale":0,"out":file}                              read all voxels; answers what the scale says
 *   {"op":"readBox","url":…,"begin":[…],"end":[…],"out":file}               read a box of scale 0
 *   {"op":"write","url":…,"begin":[…],"end":[…],"data":file}                write a box of scale 0
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStore } from "../../packages/kvstore/dist/index.js";
import { allocateVoxels, createVolume, openVolume } from "../../packages/volume/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

const open = (url) => openKvStore(url, fileDriver());

const operations = {
  async create({ url, volume, data, slabs }) {
    const { zarr, ...rest } = volume;
    const fillValue = zarr?.fillValue === undefined ? {} : { fillValue: BigInt(zarr.fillValue) };
    const created = await createVolume(url, { ...rest, zarr: { ...zarr, ...fillValue } }, { open });
    for (const [level, file] of data.entries())
      await writeSlabs(created.scales[level], await load(created.scales[level], file), slabs);
    await created.close();
  },

  async read({ url, scale: level, out }) {
    const volume = await openVolume(url, { open });
    const scale = volume.scales[level];
    await save(out, await scale.read(whole(scale)));
    const { key, dataType, channels, size, voxelOffset, resolution, chunkSize, writeSize } = scale;
    await volume.close();
    return { kind: volume.kind, key, dataType, channels, size, voxelOffset, resolution, chunkSize, writeSize };
  },

  async readBox({ url, begin, end, out }) {
    const volume = await openVolume(url, { open });
    await save(out, await volume.scales[0].read({ begin, end }));
    await volume.close();
  },

  async write({ url, begin, end, data }) {
    const volume = await openVolume(url, { open, writable: true });
    await volume.scales[0].write({ begin, end }, await load(volume.scales[0], data));
    await volume.close();
  },
};

/** Writes whole-width slabs along z whose borders fall between chunks, so that most chunks are written in parts. */
async function writeSlabs(scale, data, slabs) {
  const [x, y, z] = scale.size;
  const depth = Math.ceil(z / slabs);
  const plane = x * y;
  for (let low = 0; low < z; low += depth) {
    const high = Math.min(z, low + depth);
    const part = allocateVoxels(scale.dataType, plane * (high - low) * scale.channels);
    for (let c = 0; c < scale.channels; c++) {
      part.set(data.subarray(plane * (z * c + low), plane * (z * c + high)), plane * (high - low) * c);
    }
    const { begin, end } = whole(scale);
    await scale.write({ begin: [begin[0], begin[1], begin[2] + low], end: [end[0], end[1], begin[2] + high] }, part);
  }
}

function whole({ voxelOffset: begin, size }) {
  return { begin, end: begin.map((offset, axis) => offset + size[axis]) };
}

async function load(scale, file) {
  const bytes = await readFile(file);
  const data = allocateVoxels(scale.dataType, bytes.length / allocateVoxels(scale.dataType, 0).BYTES_PER_ELEMENT);
  new Uint8Array(data.buffer).set(bytes);
  return data;
}

function save(file, data) {
  return writeFile(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

await answerLines(operations);
