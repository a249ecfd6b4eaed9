import type { OnProgress } from "@pcg/tasks";
import type { Scale } from "@pcg/volume";
import type { Tissue } from "./tissue.ts";

export interface WriteOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Paints the tissue into two open scales of its size and offset: uint64 labels and uint8 grey values.
 *
 * Works in slabs of `image.chunkSize[2]` sections, so every chunk is written once and whole; peak memory is one slab of both
 * (13 bytes per voxel: 218 MB for 512 × 512 × 64).
 */
export async function writeTissue(
  tissue: Tissue,
  labels: Scale,
  image: Scale,
  { signal, onProgress }: WriteOptions = {},
): Promise<void> {
  const { size, voxelOffset } = tissue.options;
  const [sx, sy, sz] = size;
  const plane = sx * sy;
  const depth = image.chunkSize[2];
  const section = { labels: new Uint32Array(plane), image: new Uint8Array(plane) };
  for (let begin = 0; begin < sz; begin += depth) {
    const end = Math.min(sz, begin + depth);
    const labelSlab = new BigUint64Array(plane * (end - begin));
    const imageSlab = new Uint8Array(plane * (end - begin));
    for (let z = begin; z < end; z++) {
      signal?.throwIfAborted();
      tissue.paint(z, section);
      imageSlab.set(section.image, plane * (z - begin));
      lookUp(section.labels, tissue.labels, labelSlab, plane * (z - begin));
      onProgress?.({ step: "painting the tutorial volume", done: z + 1, total: sz });
      // Let the event loop breathe between sections: signals and progress lines come through.
      if (z % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const box = {
      begin: [voxelOffset[0], voxelOffset[1], voxelOffset[2] + begin],
      end: [voxelOffset[0] + sx, voxelOffset[1] + sy, voxelOffset[2] + end],
    } as const;
    await labels.write(box, labelSlab, signal ? { signal } : {});
    await image.write(box, imageSlab, signal ? { signal } : {});
  }
}

function lookUp(segments: Uint32Array, table: BigUint64Array, out: BigUint64Array, at: number): void {
  for (let i = 0; i < segments.length; i++) out[at + i] = table[segments[i]!]!;
}
