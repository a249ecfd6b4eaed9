/**
 * The stages whose tasks run elsewhere: supervoxels of each chunk, then contacts over the faces between chunks. Workers hand
 * back what belongs into rows; only this process writes them.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { RowMutation } from "@pcg/rowstore";
import { mapConcurrent, type OnProgress, type TaskRunner } from "@pcg/tasks";
import { blockColumn, counterMutation, type EdgePart, edgesKey } from "../rows/index.ts";
import { boxSize, type ChunkOrder } from "./chunk-order.ts";
import { type ChunkResult, type ChunkTask, chunkTaskBytes } from "./chunk-task.ts";
import type { FacesResult, FacesTask } from "./faces-task.ts";
import type { IngestPlan } from "./plan.ts";
import { supervoxelPlace } from "./supervoxel-volume.ts";
import { ingestRow, type TaskLog } from "./task-log.ts";
import { CHUNK_TASK, FACES_TASK } from "./voxel-tasks.ts";

/** Everything a stage works with. */
export interface StageContext {
  readonly plan: IngestPlan;
  readonly source: string;
  readonly supervoxels: KvStore;
  readonly scratch: KvStore;
  readonly runner: TaskRunner;
  readonly log: TaskLog;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal;
}

export interface ChunkTotals {
  /** Supervoxels of each chunk by ordinal. */
  readonly counts: Uint32Array;
  readonly contacts: number;
  /** Voxels of the chunks that were not finished before. */
  readonly voxelsRead: number;
}

export async function runChunkStage(context: StageContext, order: ChunkOrder): Promise<ChunkTotals> {
  const { settings, scale } = context.plan;
  const { connectivity, layers, spatialBits } = settings;
  const supervoxels = supervoxelPlace(context.supervoxels, settings);
  const counts = new Uint32Array(order.total);
  let contacts = 0;
  let voxelsRead = 0;
  await runStage(context, "chunk", "supervoxels", order.total, {
    known: ([supervoxelCount, contactCount], ordinal) => {
      counts[ordinal] = supervoxelCount!;
      contacts += contactCount!;
    },
    run: async (ordinal, signal) => {
      const chunk = order.chunkId(ordinal);
      const box = order.box(ordinal);
      const size = boxSize(box);
      const task: ChunkTask = {
        source: context.source,
        scale: scale.key,
        supervoxels,
        scratch: context.scratch.url,
        ordinal,
        chunk,
        box,
        connectivity,
        layers,
        spatialBits,
      };
      const bytes = chunkTaskBytes(size, scale.dataType);
      const result = await context.runner.run<ChunkResult>(CHUNK_TASK, task, { bytes, signal });
      voxelsRead += size[0] * size[1] * size[2];
      return {
        result: [result.supervoxels, result.contacts],
        rows: edgesRows(context, "chunk", chunk, result.contacts, result.edges),
        counters: result.supervoxels === 0 ? [] : [counterMutation(chunk, BigInt(result.supervoxels))],
      };
    },
  });
  return { counts, contacts, voxelsRead };
}

export interface FacesTotals {
  readonly links: number;
  readonly contacts: number;
}

export async function runFacesStage(context: StageContext, order: ChunkOrder): Promise<FacesTotals> {
  const { layers, spatialBits } = context.plan.settings;
  let links = 0;
  let contacts = 0;
  await runStage(context, "faces", "faces", order.total, {
    known: ([linkCount, contactCount]) => {
      links += linkCount!;
      contacts += contactCount!;
    },
    run: async (ordinal, signal) => {
      const chunk = order.chunkId(ordinal);
      const neighbours = [0, 1, 2].map((axis) => {
        const above = order.neighbour(ordinal, axis, 1);
        return above === undefined ? undefined : { ordinal: above, chunk: order.chunkId(above) };
      });
      const size = boxSize(order.box(ordinal));
      const task: FacesTask = { scratch: context.scratch.url, ordinal, chunk, size, neighbours, layers, spatialBits };
      const bytes = 32 * (size[0] * size[1] + size[1] * size[2] + size[2] * size[0]);
      const result = await context.runner.run<FacesResult>(FACES_TASK, task, { bytes, signal });
      const edges = result.links + result.contacts;
      return {
        result: [result.links, result.contacts],
        rows: edgesRows(context, "faces", chunk, edges, result.edges),
        counters: [],
      };
    },
  });
  return { links, contacts };
}

/** The edges row of one part, unless it has no edges. */
export function edgesRows(
  context: StageContext,
  part: EdgePart,
  chunk: bigint,
  count: number,
  edges: Uint8Array,
): RowMutation[] {
  if (count === 0) return [];
  return [ingestRow(edgesKey(chunk), [{ column: blockColumn(part), value: edges }], context.plan.settings.ingestTime)];
}

interface StageWork {
  /** Takes the result of a task, finished in this run or before. */
  known(result: readonly number[], ordinal: number): void;
  run(
    ordinal: number,
    signal: AbortSignal,
  ): Promise<{ readonly result: readonly number[]; readonly rows: RowMutation[]; readonly counters: RowMutation[] }>;
}

/** Runs the tasks of a stage that are not finished yet, some more at a time than the runner can, so that it never waits. */
export async function runStage(
  context: StageContext,
  stage: string,
  step: string,
  total: number,
  work: StageWork,
): Promise<void> {
  const { log, signal } = context;
  const finished = new Uint8Array(total);
  let done = 0;
  for await (const [ordinal, result] of log.finished(stage, signal)) {
    work.known(result, ordinal);
    finished[ordinal] = 1;
    done++;
  }
  context.onProgress({ step, done, total });
  const run = async (ordinal: number, running: { readonly signal: AbortSignal }): Promise<void> => {
    const { result, rows, counters } = await work.run(ordinal, running.signal);
    await log.finish(stage, ordinal, result, rows, counters);
    work.known(result, ordinal);
    context.onProgress({ step, done: ++done, total });
  };
  const tasks = mapConcurrent(unfinished(finished), 2 * context.runner.parallelism + 2, run, {
    unordered: true,
    signal,
  });
  for await (const _ of tasks);
}

function* unfinished(finished: Uint8Array): Iterable<number> {
  for (let ordinal = 0; ordinal < finished.length; ordinal++) if (finished[ordinal] === 0) yield ordinal;
}
