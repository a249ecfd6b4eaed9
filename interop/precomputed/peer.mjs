/**
 * Our side of the precomputed interop tests: reads one JSON command per line, answers one JSON line each.
 * Voxels travel in files, little-endian, x fastest, then y, z, channel.
 *
 *   {"op":"write","folder":…,"info":…,"data":file}            write every chunk of scale 0, then the info
 *   {"op":"read","folder":…,"out":file,"scale":0}             read every voxel; absent chunks are zeros
 *   {"op":"patch","folder":…,"position":[x,y,z],"data":file}  write one chunk of scale 0
 *   {"op":"remove","folder":…,"position":[x,y,z]}             delete one chunk of scale 0
 *   {"op":"list","folder":…}                                  names of the chunks that are present in scale 0
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import {
  openPrecomputed,
  PrecomputedScale,
  parseInfo,
  writeInfo,
} from "../../packages/neuroglancer-precomputed/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  float32: Float32Array,
};

const operations = {
  async write({ folder, info, data }) {
    const store = await fileKvStore(folder);
    const parsed = parseInfo(info);
    const scale = new PrecomputedScale(store, "", parsed, parsed.scales[0]);
    const volume = await loadVoxels(scale, data);
    await scale.writeChunks(
      (function* () {
        for (const unit of scale.storageUnits()) {
          for (const position of unit.positions) yield { position, data: copyChunk(scale, volume, position, "out") };
        }
      })(),
    );
    await writeInfo(store, parsed, { ifGeneration: null });
  },

  async read({ folder, out, scale: index = 0 }) {
    const scale = await openScale(folder, index);
    const volume = new ARRAYS[scale.dataType](voxelCount(scale));
    const positions = [...scale.grid.chunks()];
    await Promise.all(
      positions.map(async (position) => {
        const chunk = await scale.readChunk(position);
        if (chunk !== undefined) copyChunk(scale, volume, position, "in", chunk);
      }),
    );
    await writeFile(out, new Uint8Array(volume.buffer));
  },

  async patch({ folder, position, data }) {
    const scale = await openScale(folder, 0);
    const bytes = await readFile(data);
    await scale.writeChunk(position, new ARRAYS[scale.dataType](new Uint8Array(bytes).buffer));
  },

  async remove({ folder, position }) {
    const scale = await openScale(folder, 0);
    await scale.deleteChunk(position);
  },

  async list({ folder }) {
    const scale = await openScale(folder, 0);
    const names = [];
    for await (const position of scale.listChunks()) names.push(scale.grid.chunkName(position));
    return names.sort();
  },
};

async function openScale(folder, index) {
  const { scales } = await openPrecomputed(await fileKvStore(folder));
  return scales[index];
}

function voxelCount({ info, channels }) {
  return info.size.reduce((product, n) => product * n, channels);
}

async function loadVoxels(scale, file) {
  const bytes = new Uint8Array(await readFile(file));
  return new ARRAYS[scale.dataType](bytes.buffer);
}

/** Copies a chunk "out" of the volume or "in"to it, row by row. */
function copyChunk(scale, volume, position, direction, given) {
  const { begin } = scale.grid.chunkBox(position);
  const [cx, cy, cz] = scale.grid.chunkShape(position);
  const [sx, sy, sz] = scale.info.size;
  const [x0, y0, z0] = begin.map((n, axis) => n - scale.info.voxel_offset[axis]);
  const chunk = given ?? new ARRAYS[scale.dataType](cx * cy * cz * scale.channels);
  let at = 0;
  for (let c = 0; c < scale.channels; c++) {
    for (let z = 0; z < cz; z++) {
      for (let y = 0; y < cy; y++, at += cx) {
        const row = x0 + sx * (y0 + y + sy * (z0 + z + sz * c));
        if (direction === "in") volume.set(chunk.subarray(at, at + cx), row);
        else chunk.set(volume.subarray(row, row + cx), at);
      }
    }
  }
  return chunk;
}

await answerLines(operations);
