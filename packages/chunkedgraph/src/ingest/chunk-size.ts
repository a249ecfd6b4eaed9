/**
 * Choosing chunk sizes: of the graph, when nobody named one, and of the supervoxel volume's files.
 * @module
 */
import type { Xyz } from "@pcg/volume";
import { GraphError } from "../errors.ts";

/** Graph chunks grow to at least this many voxels: smaller ones cost more edges, rows and files per voxel. */
const ENOUGH_VOXELS = 1 << 20;
/** And shrink to at most this many, so that a task stays within some 150 MB. */
const MOST_VOXELS = 1 << 22;
/** An ingest keeps 13 bytes per chunk in memory, and some rows and files. */
const MOST_CHUNKS = 2 ** 26;
/** What helps when a chunk holds more supervoxels than its ids can count. */
export const CHUNK_REMEDY =
  "choose another chunk size, so that chunks hold fewer supervoxels (smaller chunks) or the graph has fewer layers (larger ones)";

/** An axis thinner than this cuts nearly every supervoxel. */
const THIN = 16;
/** A volume at least this long on an axis is divided there, so that it can be ingested in parallel. */
const DIVIDE_FROM = 64;

/**
 * A chunk size for a graph: whole storage chunks of the source where they are not too large (none is then read twice), grown
 * along the physically shortest axis until the chunk holds about a million voxels, at least two per axis; and on, if the
 * volume would still have too many chunks.
 */
export function defaultChunkSize(size: Xyz, sourceChunk: Xyz, resolution: Xyz): Xyz {
  const chunk = [sourceChunk[0], sourceChunk[1], sourceChunk[2]];
  const voxels = (): number => chunk[0]! * chunk[1]! * chunk[2]!;
  const extent = (axis: number): number => chunk[axis]! * resolution[axis]!;
  for (let axis = 0; axis < 3; axis++) {
    while (chunk[axis]! < THIN && chunk[axis]! < size[axis]!) chunk[axis] = chunk[axis]! * 2;
    while (size[axis]! >= DIVIDE_FROM && chunk[axis]! >= size[axis]!) chunk[axis] = Math.ceil(chunk[axis]! / 2);
    chunk[axis] = Math.max(1, Math.min(chunk[axis]!, size[axis]!));
  }
  while (voxels() > MOST_VOXELS) {
    const shrinking = [0, 1, 2].filter((axis) => chunk[axis]! > 1);
    const longest = shrinking.reduce((best, axis) => (extent(axis) > extent(best) ? axis : best));
    chunk[longest] = Math.ceil(chunk[longest]! / 2);
  }
  while (voxels() < ENOUGH_VOXELS) {
    const growing = [0, 1, 2].filter((axis) => chunk[axis]! * 2 < size[axis]!);
    if (growing.length === 0) break;
    const shortest = growing.reduce((best, axis) => (extent(axis) < extent(best) ? axis : best));
    chunk[shortest] = chunk[shortest]! * 2;
  }
  return fewEnough(size, [chunk[0]!, chunk[1]!, chunk[2]!], resolution);
}

/**
 * Refuses to divide a volume into more chunks than an ingest can count.
 * @throws GraphError `bad-settings` naming a chunk size that would do.
 */
export function requireFewChunks(size: Xyz, chunkSize: Xyz, resolution: Xyz): void {
  const chunks = chunkCount(size, chunkSize);
  if (chunks <= MOST_CHUNKS) return;
  const enough = fewEnough(size, chunkSize, resolution);
  throw new GraphError(
    "bad-settings",
    `${size.join("×")} voxels in chunks of ${chunkSize.join("×")} are ${chunks} chunks, more than the ${MOST_CHUNKS} of one graph: use chunks of ${enough.join("×")} or larger`,
    { chunks, limit: MOST_CHUNKS, chunkSize: enough.join(",") },
  );
}

/** The chunk size, doubled along the physically shortest axis until a graph can have that many chunks. */
function fewEnough(size: Xyz, chunkSize: Xyz, resolution: Xyz): Xyz {
  const chunk: [number, number, number] = [...chunkSize];
  while (chunkCount(size, chunk) > MOST_CHUNKS) {
    const growing = ([0, 1, 2] as const).filter((axis) => chunk[axis] < size[axis]);
    const shortest = growing.reduce((best, axis) =>
      chunk[axis] * resolution[axis] < chunk[best] * resolution[best] ? axis : best,
    );
    chunk[shortest] = Math.min(2 * chunk[shortest], size[shortest]);
  }
  return chunk;
}

function chunkCount(size: Xyz, chunkSize: Xyz): number {
  return size.reduce((product, length, axis) => product * Math.ceil(length / chunkSize[axis]!), 1);
}

/**
 * Files of the supervoxel volume per graph chunk: per axis the whole chunk up to 64 voxels, else its largest divisor between 16
 * and 64, else the whole chunk. So each file belongs to one graph chunk and is always written whole.
 */
export function storageChunkSize(chunkSize: Xyz): Xyz {
  return [storageLength(chunkSize[0]), storageLength(chunkSize[1]), storageLength(chunkSize[2])];
}

function storageLength(length: number): number {
  if (length <= 64) return length;
  for (let divisor = 64; divisor >= 16; divisor--) if (length % divisor === 0) return divisor;
  return length;
}
