/**
 * The supervoxel volume: precomputed, uint64, compressed_segmentation, one scale. Its files tile each graph chunk, so a chunk
 * task writes whole files only. Chunks without any supervoxel are written too: some readers take a missing file for an error.
 * @module
 */
import { encodeCompressedSegmentationIndexed } from "@pcg/kernels/compressed-segmentation";
import type { KvStore } from "@pcg/kvstore";
import { mapConcurrent } from "@pcg/tasks";
import type { Box, Xyz } from "@pcg/volume";
import { ChunkGrid, encodeInfo } from "neuroglancer-precomputed";
import type { GraphSettings } from "../contract.ts";
import { boxSize } from "./chunk-order.ts";
import { storageChunkSize } from "./chunk-size.ts";

const BLOCK: Xyz = [8, 8, 8];
/** Files of a task that are on their way to the store while the next one is encoded. */
const WRITES_AT_ONCE = 8;

/** What a task must know to write its part of the volume: plain data. */
export interface SupervoxelPlace {
  /** Address of the store. */
  readonly url: string;
  /** Folder of the scale. */
  readonly key: string;
  readonly size: Xyz;
  readonly voxelOffset: Xyz;
  /** Voxels per file. */
  readonly chunkSize: Xyz;
}

export function supervoxelPlace(store: KvStore, settings: GraphSettings): SupervoxelPlace {
  const { size, voxelOffset, resolution, chunkSize } = settings;
  return { url: store.url, key: resolution.join("_"), size, voxelOffset, chunkSize: storageChunkSize(chunkSize) };
}

/** Writes the volume's `info`. */
export async function writeSupervoxelInfo(store: KvStore, settings: GraphSettings): Promise<void> {
  const place = supervoxelPlace(store, settings);
  const info = encodeInfo({
    "@type": "neuroglancer_multiscale_volume",
    type: "segmentation",
    data_type: "uint64",
    num_channels: 1,
    scales: [
      {
        key: place.key,
        size: place.size,
        resolution: settings.resolution,
        voxel_offset: place.voxelOffset,
        chunk_sizes: [place.chunkSize],
        encoding: "compressed_segmentation",
        compressed_segmentation_block_size: BLOCK,
      },
    ],
  });
  await store.write("info", info);
}

/**
 * Writes the files of one graph chunk.
 * @param numbers the chunk's voxels, x fastest, as supervoxel numbers; `ids[number]` is the id, `ids[0]` is 0.
 */
export async function writeSupervoxels(
  store: KvStore,
  place: SupervoxelPlace,
  box: Box,
  numbers: Uint32Array,
  ids: BigUint64Array,
  signal: AbortSignal,
): Promise<void> {
  const grid = new ChunkGrid(place);
  const write = async (position: Xyz, running: { readonly signal: AbortSignal }): Promise<void> => {
    const part = grid.chunkBox(position);
    const voxels = cropNumbers(numbers, box, part);
    const bytes = encodeCompressedSegmentationIndexed(voxels, ids, boxSize(part), BLOCK);
    await store.write(`${place.key}/${grid.chunkName(position)}`, bytes, running);
  };
  for await (const _ of mapConcurrent(grid.chunks(box), WRITES_AT_ONCE, write, { signal }));
}

/** The voxels of `part`, which lies inside `box`. */
function cropNumbers(numbers: Uint32Array, box: Box, part: Box): Uint32Array {
  const [sx, sy] = boxSize(box);
  const [px, py, pz] = boxSize(part);
  if (px * py * pz === numbers.length) return numbers;
  const crop = new Uint32Array(px * py * pz);
  const first =
    part.begin[0] - box.begin[0] + sx * (part.begin[1] - box.begin[1] + sy * (part.begin[2] - box.begin[2]));
  for (let z = 0; z < pz; z++) {
    for (let y = 0; y < py; y++) {
      const row = first + sx * (y + sy * z);
      crop.set(numbers.subarray(row, row + px), px * (y + py * z));
    }
  }
  return crop;
}
