/**
 * Objects into stored objects (files, shards) of the target, each written once and whole.
 * @module
 */
import { encodeCompressedSegmentationIndexed } from "@pcg/kernels/compressed-segmentation";
import { applyTable } from "@pcg/kernels/renumber";
import type { KvStore } from "@pcg/kvstore";
import { mapConcurrent } from "@pcg/tasks";
import { type Box, openVolumeIn, type VolumeFormat, type Xyz } from "@pcg/volume";
import { type ChunkWrite, openPrecomputed, type PrecomputedScale } from "neuroglancer-precomputed";
import type { IndexedObjects } from "./object-reader.ts";

/** Chunks of a shard on their way into it at once. */
export const CHUNKS_AT_ONCE = 4;

export type ReadObjects = (box: Box, signal: AbortSignal) => Promise<IndexedObjects>;

/** Writes the stored object that covers just this box, or those, where shards are no boxes and it is the whole volume. */
export type WriteObjects = (box: Box, read: ReadObjects, signal: AbortSignal) => Promise<void>;

/** A writer into the volume of a store, which {@link createVolumeIn} of `@pcg/volume` made. */
export async function openWriter(store: KvStore, format: VolumeFormat, signal: AbortSignal): Promise<WriteObjects> {
  if (format === "neuroglancer-precomputed") {
    const { scales } = await openPrecomputed(store, { signal });
    return precomputedWriter(store, scales[0]!);
  }
  const { scales } = await openVolumeIn(store, format, { writable: true, signal });
  return async (box, read, running) => {
    const { indices, roots } = await read(box, running);
    await scales[0]!.write(box, applyTable(indices, roots), { signal: running });
  };
}

function precomputedWriter(store: KvStore, scale: PrecomputedScale): WriteObjects {
  const { grid, info } = scale;
  const block = info.compressed_segmentation_block_size;
  if (info.sharding === undefined && info.encoding === "compressed_segmentation" && block !== undefined) {
    // Encoded from places in a table, the voxels never take 8 bytes each.
    return async (box, read, signal) => {
      for (const position of grid.chunks(box)) {
        const { indices, roots } = await read(grid.chunkBox(position), signal);
        const bytes = encodeCompressedSegmentationIndexed(indices, roots, grid.chunkShape(position), block);
        await store.write(scale.chunkKey(position), bytes, { signal });
      }
    };
  }
  // A shard takes its chunks one by one, so that only their encoded bytes are held.
  return async (box, read, signal) => {
    const chunk = async (position: Xyz, running: { readonly signal: AbortSignal }): Promise<ChunkWrite> => {
      const { indices, roots } = await read(grid.chunkBox(position), running.signal);
      return { position, data: applyTable(indices, roots) };
    };
    await scale.writeChunks(mapConcurrent(grid.chunks(box), CHUNKS_AT_ONCE, chunk, { signal }), { signal });
  };
}
