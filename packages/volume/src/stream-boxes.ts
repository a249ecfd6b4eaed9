import { boxSize } from "./box.ts";
import type { Box, LabelArray, Scale, VoxelArray } from "./contract.ts";
import { bytesPerVoxel } from "./data-type.ts";

export interface StreamBoxesOptions {
  /** Boxes that may be in memory or under way at once, in bytes of voxels; one box is always allowed. Default 512 MiB. */
  readonly maxBytes?: number;
  /** Boxes that are read ahead of the one handed out. Default 2. */
  readonly prefetch?: number;
  readonly signal?: AbortSignal;
}

export interface BoxVoxels<Data extends VoxelArray> {
  readonly box: Box;
  readonly data: Data;
}

/**
 * Reads boxes one after the other, in their order, some of them ahead of time.
 *
 * Memory: `maxBytes`, where a box counts until the next one is asked for. Stopping early, by `break` or by `signal`, waits
 * for what is under way to be abandoned; a failed box is thrown when its turn comes.
 *
 * @example
 * for await (const { box, data } of streamBoxes(scale, boxes, { maxBytes: 2 ** 28 })) count(data, box);
 */
export function streamBoxes(
  scale: Scale,
  boxes: Iterable<Box>,
  options: StreamBoxesOptions = {},
): AsyncGenerator<BoxVoxels<VoxelArray>> {
  return stream(scale, boxes, (box, signal) => scale.read(box, { signal }), bytesPerVoxel(scale.dataType), options);
}

/** Like `streamBoxes`, by `readLabels`. */
export function streamLabels(
  scale: Scale,
  boxes: Iterable<Box>,
  options: StreamBoxesOptions = {},
): AsyncGenerator<BoxVoxels<LabelArray>> {
  const bytes = Math.max(4, bytesPerVoxel(scale.dataType));
  return stream(scale, boxes, (box, signal) => scale.readLabels(box, { signal }), bytes, options);
}

interface Pending<Data extends VoxelArray> {
  readonly box: Box;
  readonly bytes: number;
  readonly data: Promise<Data>;
}

async function* stream<Data extends VoxelArray>(
  scale: Scale,
  boxes: Iterable<Box>,
  read: (box: Box, signal: AbortSignal) => Promise<Data>,
  voxelBytes: number,
  { maxBytes = 2 ** 29, prefetch = 2, signal }: StreamBoxesOptions,
): AsyncGenerator<BoxVoxels<Data>> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const iterator = boxes[Symbol.iterator]();
  const queue: Pending<Data>[] = [];
  let bytes = 0;
  let next = iterator.next();
  const fill = (): void => {
    while (!next.done && queue.length <= prefetch) {
      const box = next.value;
      const size = boxSize(box).reduce((product, length) => product * length, scale.channels * voxelBytes);
      if (queue.length > 0 && bytes + size > maxBytes) return;
      const data = read(box, either);
      // Its turn comes later; until then a failure must not count as unhandled.
      data.catch(() => {});
      queue.push({ box, bytes: size, data });
      bytes += size;
      next = iterator.next();
    }
  };
  try {
    for (fill(); queue.length > 0; fill()) {
      const { box, data } = queue[0]!;
      yield { box, data: await data };
      bytes -= queue.shift()!.bytes;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(queue.map(({ data }) => data));
    iterator.return?.();
  }
}
