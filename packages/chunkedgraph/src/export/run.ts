/**
 * The whole export, from a graph to a volume.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { mapConcurrent, type OnProgress, type TaskRunner } from "@pcg/tasks";
import {
  type Box,
  createVolumeIn,
  type PrecomputedStorage,
  type Volume,
  type VolumeFormat,
  type Xyz,
  type ZarrStorage,
} from "@pcg/volume";
import { openPrecomputed, type PrecomputedScale } from "neuroglancer-precomputed";
import type { Graph, GraphSettings, GraphView, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { gridOf } from "../settings.ts";
import { cellCount, cellsOf, partSize } from "./boxes.ts";
import { claimTarget } from "./claim.ts";
import { EXPORT_TASK, type ExportTask, exportTaskBytes } from "./export-task.ts";
import { type ExportRecord, removeRecord, writeRecord } from "./record.ts";
import type { ExportReport } from "./report.ts";
import { RootCount } from "./root-count.ts";
import { rootTable } from "./root-table.ts";

export interface ExportOptions {
  readonly graph: Graph;
  /** The state to export: that of the last edit up to here. Default: now. */
  readonly time?: Time;
  /** The volume of the graph's supervoxels; workers open it again by its `url`. */
  readonly supervoxels: KvStore;
  /** Where the volume goes: its root, not shared with anything else. Workers open it again by its `url`. */
  readonly target: KvStore;
  readonly format: VolumeFormat;
  /** Voxels of a chunk of the target. Default: those of a supervoxel file, which is fastest. */
  readonly chunkSize?: Xyz;
  /** How a precomputed target stores its chunks. Default: `compressed_segmentation`, a file for each. */
  readonly precomputed?: PrecomputedStorage;
  /** How a zarr target stores its chunks. */
  readonly zarr?: ZarrStorage;
  /** Runs the handlers of {@link exportTasks}. */
  readonly runner: TaskRunner;
  /** Go on with an unfinished export to the same place. Default false: refuse. */
  readonly resume?: boolean;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A second of work is what a killed process loses at most. */
const SAVE_EVERY_MS = 1000;

/**
 * Writes the proofread segmentation as a uint64 volume: the root of each voxel's supervoxel at one time, 0 for background. Edits
 * made meanwhile do not show. Each stored object (file, shard) is written once and whole, by one task.
 *
 * It may be stopped at any point, also by SIGKILL, and run again with `resume`: what is written is then not written again, and
 * the volume is that of the first run's time. How far it is stands in `export.json` in the target, which stays as a note of
 * what the volume shows. The volume's metadata is written first.
 *
 * Memory: the tasks' (`runner`'s budget), the root tables of some more parts than run, and one bit per object.
 *
 * @throws VolumeError `ALREADY_EXISTS` (another volume or export is there, or an unfinished one and no `resume`); GraphError
 *   `wrong-voxels` (the supervoxel volume does not fit the graph), `invalid-argument`; whatever a store or a task throws;
 *   the signal's reason. What was finished by then stays.
 *
 * @example
 * const report = await exportObjects({ graph, supervoxels, target, format: "zarr3", runner });
 */
export async function exportObjects(options: ExportOptions): Promise<ExportReport> {
  const started = performance.now();
  const { graph, supervoxels, target, resume = false } = options;
  const { settings } = graph;
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const source = await openSupervoxels(supervoxels, settings, signal);
  const now = await graph.view(options.time);
  if (now.time < settings.ingestTime)
    throw new GraphError(
      "invalid-argument",
      `time ${now.time} is before the graph began, ${settings.ingestTime} (microseconds)`,
      { time: now.time.toString(), ingestTime: settings.ingestTime.toString() },
    );
  const wanted = options.time === undefined ? undefined : now.time;
  const claim = await claimTarget(target, settings, { wanted, now: now.time, resume, signal });
  const { record } = claim;
  const volume = await createTarget(options, source.grid.chunkSize, claim.isNew, signal);
  const view = record.time === now.time ? now : await graph.view(record.time);
  const isComplete = record.status === "complete";
  const written = isComplete ? { voxels: 0, objects: 0 } : await writeParts(options, view, volume, record, signal);

  const { size, chunkSize } = volume.scales[0]!;
  const seconds = (performance.now() - started) / 1000;
  return {
    url: volume.url,
    time: record.time,
    size,
    chunkSize,
    chunks: cellCount(boxOf(settings), chunkSize),
    voxels: size[0] * size[1] * size[2],
    ...(claim.isNew && { objects: written.objects }),
    outcome: claim.isNew ? "new" : isComplete ? "nothing to do" : "resumed",
    seconds,
    voxelsPerSecond: written.voxels / seconds,
  };
}

/** @throws GraphError `wrong-voxels` when they cannot be those of the graph */
async function openSupervoxels(
  store: KvStore,
  settings: GraphSettings,
  signal: AbortSignal,
): Promise<PrecomputedScale> {
  const { info, scales } = await openPrecomputed(store, { signal });
  const scale = scales[0]!;
  const { size, voxelOffset } = scale.grid;
  const found = `${size.join("×")} voxels from ${voxelOffset.join(", ")}, ${info.data_type} as ${scale.info.encoding}`;
  const expected = `${settings.size.join("×")} voxels from ${settings.voxelOffset.join(", ")}, uint64 as compressed_segmentation`;
  if (found === expected && info.num_channels === 1) return scale;
  throw new GraphError(
    "wrong-voxels",
    `${store.url} holds ${found}; the supervoxels of graph "${settings.name}" are ${expected}`,
    { url: store.url },
  );
}

async function createTarget(
  options: ExportOptions,
  fileSize: Xyz,
  isNew: boolean,
  signal: AbortSignal,
): Promise<Volume> {
  const { target, format, chunkSize = fileSize, precomputed, zarr } = options;
  const { name, size, voxelOffset, resolution } = options.graph.settings;
  const spec = {
    name,
    kind: "segmentation",
    dataType: "uint64",
    scales: [{ size, voxelOffset, resolution, chunkSize }],
    ...(precomputed && { precomputed }),
    ...(zarr && { zarr }),
  } as const;
  try {
    return await createVolumeIn(target, format, spec, { signal });
  } catch (error) {
    // A volume that cannot be made leaves nothing behind.
    if (isNew) await removeRecord(target);
    throw error;
  }
}

/** Runs the parts that are not written yet, some more at a time than the runner can, so that it never waits. */
async function writeParts(
  { graph, supervoxels, target, format, runner, onProgress }: ExportOptions,
  view: GraphView,
  volume: Volume,
  record: ExportRecord,
  signal: AbortSignal,
): Promise<{ readonly voxels: number; readonly objects: number }> {
  const { settings } = graph;
  const grid = gridOf(settings);
  const scale = volume.scales[0]!;
  const storedSize = atMost(scale.writeSize, settings.size);
  const chunkSize = atMost(scale.chunkSize, settings.size);
  const part = partSize(storedSize, settings.chunkSize);
  const whole = boxOf(settings);
  const total = cellCount(whole, part);
  const objects = new RootCount(grid.layout);
  let voxels = 0;
  const run = async (box: Box, running: { readonly signal: AbortSignal }): Promise<void> => {
    const table = await rootTable(view, grid, box, running.signal);
    objects.add(table.roots);
    const task: ExportTask = { supervoxels: supervoxels.url, target: target.url, format, box, storedSize, table };
    const transfer = [table.supervoxels.buffer, table.roots.buffer] as ArrayBuffer[];
    const bytes = exportTaskBytes(task, chunkSize);
    await runner.run<void>(EXPORT_TASK, task, { bytes, signal: running.signal, transfer });
    voxels += [0, 1, 2].reduce((product, axis) => product * (box.end[axis]! - box.begin[axis]!), 1);
  };

  let { finished } = record;
  let saved = performance.now();
  const save = async (status: ExportRecord["status"]): Promise<void> => {
    await writeRecord(target, { ...record, status, finished });
    saved = performance.now();
  };
  onProgress?.({ step: "objects", done: finished, total });
  try {
    // In order, so that one number says what is written.
    for await (const _ of mapConcurrent(from(cellsOf(whole, part), finished), 2 * runner.parallelism + 2, run, {
      signal,
    })) {
      finished++;
      onProgress?.({ step: "objects", done: finished, total });
      if (performance.now() - saved >= SAVE_EVERY_MS) await save("running");
    }
  } catch (error) {
    // The record in place is true as well, if older; the first error is the one that matters.
    await save("running").catch(() => {});
    throw error;
  }
  await save("complete");
  return { voxels, objects: objects.total };
}

function* from<Item>(items: Iterable<Item>, first: number): Generator<Item> {
  let index = 0;
  for (const item of items) if (index++ >= first) yield item;
}

function boxOf({ voxelOffset: [x, y, z], size }: GraphSettings): Box {
  return { begin: [x, y, z], end: [x + size[0], y + size[1], z + size[2]] };
}

function atMost(size: Xyz, limit: Xyz): Xyz {
  return [Math.min(size[0], limit[0]), Math.min(size[1], limit[1]), Math.min(size[2], limit[2])];
}
