/**
 * The task of an export: one part of the volume, from supervoxel files to stored objects of the target. It reads no rows.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { mapConcurrent, type TaskHandlers } from "@pcg/tasks";
import type { Box, VolumeFormat, Xyz } from "@pcg/volume";
import { openPrecomputed } from "neuroglancer-precomputed";
import { cellsOf } from "./boxes.ts";
import { ObjectReader } from "./object-reader.ts";
import { CHUNKS_AT_ONCE, openWriter } from "./object-writer.ts";
import type { RootTable } from "./root-table.ts";

/** Name of the task a runner of an export must know. */
export const EXPORT_TASK = "export-objects";

export interface ExportTask {
  /** Address of the supervoxel volume. */
  readonly supervoxels: string;
  /** Where the volume goes, which is there already. */
  readonly target: string;
  readonly format: VolumeFormat;
  /** A box of whole stored objects of the target. */
  readonly box: Box;
  /** Voxels of one of them, at most the volume. */
  readonly storedSize: Xyz;
  readonly table: RootTable;
}

/** How a worker opens the stores that a task names. */
export interface ExportTaskIo {
  openKvStore(url: string): Promise<KvStore>;
}

/**
 * Handlers for the task runner of an export.
 *
 * @example
 * const drivers = { ...fileDriver(), ...httpDriver() };
 * export const handlers = exportTasks({ openKvStore: (url) => openKvStore(url, drivers) });
 */
export function exportTasks(io: ExportTaskIo): TaskHandlers {
  return {
    [EXPORT_TASK]: (task: ExportTask, { signal }: { readonly signal: AbortSignal }) => runExportTask(task, io, signal),
  };
}

async function runExportTask(task: ExportTask, io: ExportTaskIo, signal: AbortSignal): Promise<void> {
  const supervoxels = await io.openKvStore(task.supervoxels);
  try {
    const target = await io.openKvStore(task.target);
    try {
      const { scales } = await openPrecomputed(supervoxels, { signal });
      const reader = new ObjectReader(scales[0]!, task.supervoxels, task.table);
      const write = await openWriter(target, task.format, signal);
      const step = (box: Box, running: { readonly signal: AbortSignal }): Promise<void> =>
        write(box, (part, reading) => reader.read(part, reading), running.signal);
      const stored = cellsOf(task.box, task.storedSize);
      for await (const _ of mapConcurrent(stored, storedAtOnce(task.storedSize), step, { signal }));
    } finally {
      await target.close();
    }
  } finally {
    await supervoxels.close();
  }
}

/** Code, decoded metadata, the wasm memory of the kernels at rest. */
const FIXED_BYTES = 32 << 20;
/** Indices, their source, 64-bit voxels, encoded bytes. */
const BYTES_PER_VOXEL = 24;
/** Encoded bytes of a shard, held twice: labels take far less than half a byte per voxel, see the format's own figures. */
const SHARD_BYTES_PER_VOXEL = 1;
/** The array, and its index. */
const BYTES_PER_SUPERVOXEL = 96;

/** Stored objects on their way at once, so that a thread does not wait for the disk; fewer when they are large. */
function storedAtOnce(size: Xyz): number {
  return Math.max(1, Math.min(8, Math.floor(2 ** 21 / voxelCount(size))));
}

/** Peak memory of a task, for the runner's budget. @param chunkSize of the target */
export function exportTaskBytes({ format, storedSize, table }: ExportTask, chunkSize: Xyz): number {
  const stored = voxelCount(storedSize);
  const chunk = voxelCount(chunkSize);
  const fixed = FIXED_BYTES + table.supervoxels.length * BYTES_PER_SUPERVOXEL;
  if (format === "neuroglancer-precomputed" && chunk < stored)
    return fixed + CHUNKS_AT_ONCE * chunk * BYTES_PER_VOXEL + stored * SHARD_BYTES_PER_VOXEL;
  return fixed + storedAtOnce(storedSize) * stored * BYTES_PER_VOXEL;
}

function voxelCount([x, y, z]: Xyz): number {
  return x * y * z;
}
