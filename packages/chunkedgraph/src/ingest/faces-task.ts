/**
 * The second pass over a chunk: which supervoxels touch over its three upper faces. A face belongs to the chunk below it.
 * @module
 */
import { type Contacts, countFaceContacts } from "@pcg/kernels/contacts";
import type { KvStore } from "@pcg/kvstore";
import type { Xyz } from "@pcg/volume";
import { IdLayout } from "../ids.ts";
import { encodeEdges } from "../rows/edges.ts";
import { supervoxelIds } from "./chunk-task.ts";
import { decodeRuns } from "./planes.ts";
import { type ChunkRecord, Scratch } from "./scratch.ts";

export interface FacesTask {
  /** Address of the scratch store. */
  readonly scratch: string;
  readonly ordinal: number;
  /** The layer-1 chunk id. */
  readonly chunk: bigint;
  /** Voxels of the chunk, clipped to the volume. */
  readonly size: Xyz;
  /** The chunks above along x, y and z, where there is one. */
  readonly neighbours: readonly ({ readonly ordinal: number; readonly chunk: bigint } | undefined)[];
  readonly layers: number;
  readonly spatialBits: number;
}

export interface FacesResult {
  /** Pairs of one label: one supervoxel in the source, two in the graph. */
  readonly links: number;
  /** Pairs of different labels. */
  readonly contacts: number;
  /** The edges cell of the chunk's upper faces. */
  readonly edges: Uint8Array;
}

export async function runFacesTask(task: FacesTask, scratchStore: KvStore, signal: AbortSignal): Promise<FacesResult> {
  const scratch = new Scratch(scratchStore);
  const own = await scratch.readChunk(task.ordinal, signal);
  const ids = supervoxelIds(task.chunk, own.labels.length);
  const faces = [];
  for (const axis of [0, 1, 2] as const) {
    const neighbour = task.neighbours[axis];
    if (neighbour === undefined) continue;
    const other = await scratch.readChunk(neighbour.ordinal, signal);
    const contacts = faceContacts(own, other, task.size, axis);
    const same = sameLabel(contacts.pairs, own.labels, other.labels);
    faces.push({ axis, contacts, same, ids: supervoxelIds(neighbour.chunk, other.labels.length) });
  }
  const count = faces.reduce((sum, { same }) => sum + same.length, 0);
  const pairs = new BigUint64Array(2 * count);
  const affinities = new Float32Array(count);
  const areas = new BigUint64Array(count);
  const active = new Uint8Array(count);
  const links: [Uint32Array, Uint32Array, Uint32Array] = [new Uint32Array(0), new Uint32Array(0), new Uint32Array(0)];
  let edge = 0;
  for (const { axis, contacts, same, ids: otherIds } of faces) {
    links[axis] = linkedPairs(contacts.pairs, same);
    for (let i = 0; i < same.length; i++, edge++) {
      pairs[2 * edge] = ids[contacts.pairs[2 * i]!]!;
      pairs[2 * edge + 1] = otherIds[contacts.pairs[2 * i + 1]!]!;
      affinities[edge] = same[i] ? Number.POSITIVE_INFINITY : contacts.areas[i]!;
      areas[edge] = BigInt(contacts.areas[i]!);
      active[edge] = same[i]!;
    }
  }
  await scratch.writeFaces(task.ordinal, links, signal);
  const layout = new IdLayout(task.layers, task.spatialBits);
  const edges = encodeEdges(layout, task.chunk, { pairs, affinities, areas, active });
  const linked = active.reduce((sum, flag) => sum + flag, 0);
  return { links: linked, contacts: count - linked, edges };
}

/** The own chunk's high plane against the neighbour's low plane. */
function faceContacts(own: ChunkRecord, other: ChunkRecord, size: Xyz, axis: number): Contacts {
  const voxels = (size[0] * size[1] * size[2]) / size[axis]!;
  const lower = decodeRuns(own.planes[2 * axis + 1]!, voxels, "the upper plane of a chunk");
  const upper = decodeRuns(other.planes[2 * axis]!, voxels, "the lower plane of a chunk");
  return countFaceContacts(lower, upper);
}

/** Per pair whether both supervoxels have one label. */
function sameLabel(pairs: Uint32Array, labels: BigUint64Array, otherLabels: BigUint64Array): Uint8Array {
  const same = new Uint8Array(pairs.length / 2);
  for (let i = 0; i < same.length; i++) {
    same[i] = labels[pairs[2 * i]! - 1] === otherLabels[pairs[2 * i + 1]! - 1] ? 1 : 0;
  }
  return same;
}

function linkedPairs(pairs: Uint32Array, same: Uint8Array): Uint32Array {
  return pairs.filter((_, i) => same[i >> 1] === 1);
}
