/**
 * The first pass over a chunk: its voxels become supervoxels.
 *
 * Memory: labels, 4 bytes per voxel for components, and what finding, counting and encoding them takes one after the other; 13
 * bytes per voxel in all were measured for uint64 labels, {@link chunkTaskBytes} asks for 24.
 * @module
 */
import { componentLabels, componentStats, connectedComponents } from "@pcg/kernels/components";
import { countContacts } from "@pcg/kernels/contacts";
import { applyTable } from "@pcg/kernels/renumber";
import type { KvStore } from "@pcg/kvstore";
import type { Box, DataType, Volume, Xyz } from "@pcg/volume";
import { GraphError } from "../errors.ts";
import { halves, IdLayout } from "../ids.ts";
import { encodeEdges } from "../rows/edges.ts";
import { boxSize } from "./chunk-order.ts";
import { CHUNK_REMEDY } from "./chunk-size.ts";
import { encodeRuns, slicePlane } from "./planes.ts";
import { Scratch } from "./scratch.ts";
import { type SupervoxelPlace, writeSupervoxels } from "./supervoxel-volume.ts";

/** Code, decoded metadata and the chunks of the source at the edges of the box. */
const FIXED_BYTES = 32 << 20;

export interface ChunkTask {
  /** Address of the segmentation, and the key of its scale. */
  readonly source: string;
  readonly scale: string;
  readonly supervoxels: SupervoxelPlace;
  /** Address of the scratch store. */
  readonly scratch: string;
  readonly ordinal: number;
  /** The layer-1 chunk id; supervoxel n of the chunk is this plus n. */
  readonly chunk: bigint;
  readonly box: Box;
  readonly connectivity: 6 | 26;
  readonly layers: number;
  readonly spatialBits: number;
}

export interface ChunkResult {
  readonly supervoxels: number;
  /** Pairs of touching supervoxels. */
  readonly contacts: number;
  /** The edges cell of the chunk's inside. */
  readonly edges: Uint8Array;
}

/** Peak memory of a task on a chunk of this size, for the runner's budget. */
export function chunkTaskBytes(size: Xyz, dataType: DataType): number {
  const labelBytes = dataType === "uint64" || dataType === "int64" ? 8 : 4;
  return size[0] * size[1] * size[2] * (labelBytes + 16) + FIXED_BYTES;
}

export async function runChunkTask(
  task: ChunkTask,
  volume: Volume,
  supervoxels: KvStore,
  scratch: KvStore,
  signal: AbortSignal,
): Promise<ChunkResult> {
  const scale = volume.scales.find(({ key }) => key === task.scale);
  if (scale === undefined) throw new Error(`${volume.url} has no scale ${JSON.stringify(task.scale)} any more`);
  const size = boxSize(task.box);
  const labels = await scale.readLabels(task.box, { signal });
  signal.throwIfAborted();
  const { components, count } = connectedComponents(labels, size, task.connectivity);
  const layout = new IdLayout(task.layers, task.spatialBits);
  requireCountable(count, layout, task.box);
  const ids = supervoxelIds(task.chunk, count);
  const { pairs, areas } = countContacts(components, size);
  const record = {
    labels: widen(componentLabels(labels, components, count)),
    positions: componentStats(components, size, count).representatives,
    planes: outerPlanes(components, size),
  };
  const writes = await Promise.allSettled([
    writeSupervoxels(supervoxels, task.supervoxels, task.box, components, ids, signal),
    new Scratch(scratch).writeChunk(task.ordinal, record, signal),
  ]);
  for (const write of writes) if (write.status === "rejected") throw write.reason;
  const edges = encodeEdges(layout, task.chunk, {
    pairs: applyTable(pairs, ids),
    affinities: Float32Array.from(areas),
    areas: widen(areas),
    active: new Uint8Array(areas.length),
  });
  return { supervoxels: count, contacts: areas.length, edges };
}

function requireCountable(count: number, layout: IdLayout, box: Box): void {
  const limit = layout.segmentLimit(1);
  if (BigInt(count) <= limit) return;
  throw new GraphError(
    "bad-settings",
    `the chunk of ${boxSize(box).join("×")} voxels at ${box.begin.join(", ")} holds ${count} supervoxels, but its ids count at most ${limit}: begin again, and ${CHUNK_REMEDY}`,
    { supervoxels: count, limit: limit.toString() },
  );
}

/** Element n is the id of supervoxel number n; element 0 is 0, the background. */
export function supervoxelIds(chunk: bigint, count: number): BigUint64Array {
  const ids = new BigUint64Array(count + 1).fill(chunk);
  const half = halves(ids);
  // Segment numbers have fewer than 32 bits here, and a chunk id has zeros in their place.
  for (let number = 1; number <= count; number++) half[2 * number] = (half[2 * number]! | number) >>> 0;
  ids[0] = 0n;
  return ids;
}

function widen(labels: Uint32Array | BigUint64Array): BigUint64Array {
  if (labels instanceof BigUint64Array) return labels;
  const wide = new BigUint64Array(labels.length);
  const half = halves(wide);
  for (let i = 0; i < labels.length; i++) half[2 * i] = labels[i]!;
  return wide;
}

/** Low and high plane of x, y, z, as runs. */
function outerPlanes(numbers: Uint32Array, size: Xyz): Uint32Array[] {
  return [0, 1, 2].flatMap((axis) => [
    encodeRuns(slicePlane(numbers, size, axis, 0)),
    encodeRuns(slicePlane(numbers, size, axis, size[axis]! - 1)),
  ]);
}
