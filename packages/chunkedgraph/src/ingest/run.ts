/**
 * The whole ingest, from a segmentation to a graph that opens.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { RowStore } from "@pcg/rowstore";
import type { OnProgress, TaskRunner } from "@pcg/tasks";
import type { Volume } from "@pcg/volume";
import { counterMutation } from "../rows/index.ts";
import { ChunkOrder } from "./chunk-order.ts";
import { runLayerStage, runLevel2Stage } from "./hierarchy-stages.ts";
import { forEachObject, type Objects, runPieceStage } from "./piece-stage.ts";
import { completeIngest, type IngestChoices, planIngest, readFinished } from "./plan.ts";
import { type IngestCounts, type IngestReport, makeReport } from "./report.ts";
import { Scratch } from "./scratch.ts";
import { SupervoxelCount } from "./supervoxel-count.ts";
import { writeSupervoxelInfo } from "./supervoxel-volume.ts";
import { TaskLog } from "./task-log.ts";
import { runChunkStage, runFacesStage, type StageContext } from "./voxel-stages.ts";

export interface IngestOptions extends IngestChoices {
  /** The segmentation; workers open it again by its `url`. */
  readonly source: Volume;
  /** Where the graph goes. */
  readonly rows: RowStore;
  /** Where the supervoxel volume goes; its root, not shared with anything else. */
  readonly supervoxels: KvStore;
  /** A store for intermediate results, emptied at the end; it must outlive an interruption for the ingest to be resumed. */
  readonly scratch: KvStore;
  /** Runs the handlers of {@link voxelTasks}. */
  readonly runner: TaskRunner;
  readonly onProgress?: OnProgress;
  /** Called at the end with each object and its label; with `splitDisconnected` a label comes once for each of its objects. */
  readonly onObject?: (label: bigint, root: bigint) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

/**
 * Makes a proofreading graph of a segmentation: supervoxel volume and rows.
 *
 * It may be stopped at any point, also by SIGKILL, and run again with `resume`: the rows are then byte for byte those of an
 * ingest that was not stopped. Two processes that ingest the same into the same place do no harm to each other.
 *
 * Memory: 4 bytes per supervoxel of the volume and 13 per chunk, 200 MB at most for joining broken labels, the
 * tasks' memory (`runner`'s budget), and the nodes of one chunk of a layer at a time.
 *
 * @throws GraphError `already-ingested` (something else is there, or an unfinished ingest and no `resume`), `bad-settings`,
 *   `invalid-argument`; whatever a store or a task throws; the signal's reason. What was finished by then stays.
 */
export async function ingest(options: IngestOptions): Promise<IngestReport> {
  const started = performance.now();
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const plan = await planIngest(options.rows, options.source, options);
  const scratch = new Scratch(options.scratch);
  let voxelsRead = 0;
  let counts = plan.counts;
  if (counts === undefined) {
    const context: StageContext = {
      plan,
      source: options.source.url,
      supervoxels: options.supervoxels,
      scratch: options.scratch,
      runner: options.runner,
      log: new TaskLog(options.rows),
      onProgress: options.onProgress ?? (() => {}),
      signal,
    };
    try {
      const done = await runStages(context, options);
      counts = done.counts;
      voxelsRead = done.voxelsRead;
      await completeIngest(options.rows, plan, counts);
    } catch (error) {
      // Another process that did the same and was faster has emptied the scratch store; then the graph is there.
      signal.throwIfAborted();
      counts = options.onObject === undefined ? (await readFinished(options.rows))?.counts : undefined;
      if (counts === undefined) throw error;
    }
  }
  await scratch.clear(signal);
  const seconds = (performance.now() - started) / 1000;
  return makeReport(plan.settings, plan.scale.key, counts, { outcome: plan.outcome, seconds, voxelsRead });
}

async function runStages(
  context: StageContext,
  options: IngestOptions,
): Promise<{ readonly counts: IngestCounts; readonly voxelsRead: number }> {
  const { grid, settings } = context.plan;
  await writeSupervoxelInfo(context.supervoxels, settings);
  const order = new ChunkOrder(grid, 1);
  const chunks = await runChunkStage(context, order);
  const count = new SupervoxelCount(chunks.counts);
  const faces = await runFacesStage(context, order);
  const objects = await runPieceStage(context, order, count);
  await runLevel2Stage(context, order, count, objects);
  for (let layer = 3; layer <= settings.layers; layer++) await runLayerStage(context, layer, objects);
  await countRoots(context, objects);
  if (options.onObject !== undefined) {
    const rootChunk = grid.layout.chunkId(settings.layers, [0, 0, 0]);
    const { onObject } = options;
    await forEachObject(context, order, count, objects.objectOf, (label, object) =>
      onObject(label, rootChunk | BigInt(object + 1)),
    );
  }
  const counts: IngestCounts = {
    voxels: settings.size[0] * settings.size[1] * settings.size[2],
    chunks: order.total,
    labels: objects.labels,
    supervoxels: count.total,
    roots: objects.objects,
    brokenLabels: objects.brokenLabels,
    pieces: objects.pieces,
    edges: {
      inChunk: chunks.contacts,
      betweenChunks: faces.contacts,
      crossChunk: faces.links,
      joined: objects.joins.pairs.length / 2,
    },
  };
  return { counts, voxelsRead: chunks.voxelsRead };
}

/** Sets the counter that later edits number their roots with. */
async function countRoots(context: StageContext, { objects }: Objects): Promise<void> {
  const { layout } = context.plan.grid;
  if ((await context.log.result("roots", 0)) !== undefined) return;
  const rootChunk = layout.chunkId(layout.layers, [0, 0, 0]);
  const counters = objects === 0 ? [] : [counterMutation(rootChunk, BigInt(objects))];
  await context.log.finish("roots", 0, [objects], [], counters);
}
