/**
 * Between voxels and hierarchy: which supervoxels are one object, and the edges that keep a label whole.
 * @module
 */
import type { RowMutation } from "@pcg/rowstore";
import { mapConcurrent } from "@pcg/tasks";
import type { Xyz } from "@pcg/volume";
import { encodeEdges, USER_AFFINITY } from "../rows/index.ts";
import { UnionFind } from "../union-find.ts";
import { type LabelledChunk, type LabelStream, surveyLabels } from "./broken-labels.ts";
import { boxSize, type ChunkOrder } from "./chunk-order.ts";
import { joinBrokenLabels, type LocateVoxel } from "./join-pieces.ts";
import { Joins } from "./joins.ts";
import { Scratch } from "./scratch.ts";
import type { SupervoxelCount } from "./supervoxel-count.ts";
import { edgesRows, type StageContext } from "./voxel-stages.ts";

const STAGE = "join";
/** Scratch values read ahead. */
const AHEAD = 8;

export interface Objects {
  /** The object of each supervoxel, numbered 0, 1, 2, … by smallest supervoxel: 4 bytes per supervoxel. */
  readonly objectOf: Uint32Array;
  readonly objects: number;
  readonly joins: Joins;
  readonly labels: number;
  readonly pieces: number;
  readonly brokenLabels: number;
}

export async function runPieceStage(
  context: StageContext,
  order: ChunkOrder,
  count: SupervoxelCount,
): Promise<Objects> {
  const { log, signal } = context;
  const scratch = new Scratch(context.scratch);
  const pieces = await findPieces(context, order, count);
  const stream = labelStream(scratch, order, count, signal);
  let result = await log.result(STAGE, 0);
  if (result === undefined) {
    context.onProgress({ step: "pieces", done: 0, total: 1 });
    const survey = await surveyLabels(stream, pieces);
    const { splitDisconnected, resolution } = context.plan.settings;
    const broken = splitDisconnected ? new BigUint64Array(0) : survey.broken;
    const pairs = await joinBrokenLabels(stream, pieces, broken, locator(order, resolution));
    await scratch.writeJoins(pairs, signal);
    result = [survey.labels, survey.pieces, survey.broken.length];
    await log.finish(STAGE, 0, result, joinedEdges(context, order, count, pairs));
  }
  context.onProgress({ step: "pieces", done: 1, total: 1 });
  const joins = new Joins(await scratch.readJoins(signal), count);
  for (let i = 0; i < joins.pairs.length; i += 2) pieces.union(joins.pairs[i]!, joins.pairs[i + 1]!);
  const [labels, pieceCount, brokenLabels] = result as [number, number, number];
  return {
    objects: pieceCount - joins.pairs.length / 2,
    objectOf: pieces.intoSetNumbers(),
    joins,
    labels,
    pieces: pieceCount,
    brokenLabels,
  };
}

/** Calls back with the label and the object of the first supervoxel of each object. */
export async function forEachObject(
  context: StageContext,
  order: ChunkOrder,
  count: SupervoxelCount,
  objectOf: Uint32Array,
  callback: (label: bigint, object: number) => Promise<void> | void,
): Promise<void> {
  let next = 0;
  for await (const { start, labels } of labelStream(new Scratch(context.scratch), order, count, context.signal)()) {
    for (let i = 0; i < labels.length; i++) {
      if (objectOf[start + i] !== next) continue;
      await callback(labels[i]!, next);
      next++;
    }
  }
}

/** Joins supervoxels of one label that touch over faces between chunks. */
async function findPieces(context: StageContext, order: ChunkOrder, count: SupervoxelCount): Promise<UnionFind> {
  const scratch = new Scratch(context.scratch);
  const pieces = new UnionFind(count.total);
  const reads = mapConcurrent(ordinals(order), AHEAD, (ordinal, { signal }) => scratch.readFaces(ordinal, signal), {
    signal: context.signal,
  });
  let ordinal = 0;
  for await (const faces of reads) {
    const start = count.start(ordinal) - 1;
    for (const axis of [0, 1, 2] as const) {
      const above = order.neighbour(ordinal, axis, 1);
      if (above === undefined) continue;
      const aboveStart = count.start(above) - 1;
      const pairs = faces[axis];
      for (let i = 0; i < pairs.length; i += 2) pieces.union(start + pairs[i]!, aboveStart + pairs[i + 1]!);
    }
    ordinal++;
  }
  return pieces;
}

function labelStream(scratch: Scratch, order: ChunkOrder, count: SupervoxelCount, signal: AbortSignal): LabelStream {
  const read = async (ordinal: number, running: { readonly signal: AbortSignal }): Promise<LabelledChunk> => {
    const supervoxels = await scratch.readSupervoxels(ordinal, count.count(ordinal), running.signal);
    return { ordinal, start: count.start(ordinal), ...supervoxels };
  };
  return () => mapConcurrent(ordinals(order), AHEAD, read, { signal });
}

function* ordinals(order: ChunkOrder): Iterable<number> {
  for (let ordinal = 0; ordinal < order.total; ordinal++) yield ordinal;
}

function locator(order: ChunkOrder, resolution: Xyz): LocateVoxel {
  return (chunk, index, target, at) => {
    const box = order.box(chunk);
    const [sx, sy] = boxSize(box);
    const row = Math.floor(index / sx);
    target[at] = (box.begin[0] + (index % sx)) * resolution[0];
    target[at + 1] = (box.begin[1] + (row % sy)) * resolution[1];
    target[at + 2] = (box.begin[2] + Math.floor(row / sy)) * resolution[2];
  };
}

/** Edges rows of the chunks that own joining edges. */
function joinedEdges(
  context: StageContext,
  order: ChunkOrder,
  count: SupervoxelCount,
  pairs: Uint32Array,
): RowMutation[] {
  const joins = new Joins(pairs, count);
  const idOf = (supervoxel: number): bigint => {
    const chunk = count.chunkOf(supervoxel);
    return context.plan.grid.layout.nodeId(order.chunkId(chunk), BigInt(supervoxel - count.start(chunk) + 1));
  };
  const rows: RowMutation[] = [];
  for (let i = 0; i < pairs.length; ) {
    const chunk = count.chunkOf(pairs[i]!);
    const own = joins.from(chunk);
    const edges = own.length / 2;
    const block = encodeEdges(context.plan.grid.layout, order.chunkId(chunk), {
      pairs: BigUint64Array.from(own, idOf),
      affinities: new Float32Array(edges).fill(USER_AFFINITY),
      areas: new BigUint64Array(edges),
      active: new Uint8Array(edges).fill(1),
    });
    rows.push(...edgesRows(context, "joined", order.chunkId(chunk), edges, block));
    i += own.length;
  }
  return rows;
}
