/**
 * One ingest into a data folder, with the drivers of this machine.
 * @module
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { checkIngest, finishedIngest, type IngestChoices, type IngestReport, ingest } from "@pcg/chunkedgraph/ingest";
import { sweepLocks } from "@pcg/kvstore/file";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import type { OnProgress } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
import type { Volume, Xyz } from "@pcg/volume";
import { openSource, openStore, sourceAddress } from "./drivers.ts";
import { UsageError } from "./errors.ts";
import { makeFolder, removeScratch, type TableFolder, tableFolder } from "./folder.ts";
import { LabelsCsv } from "./labels-csv.ts";

export interface RunIngestOptions {
  /** URL or path of the segmentation. */
  readonly volume: string;
  /** Data folder; the table becomes a folder in it. */
  readonly data: string;
  readonly table: string;
  /** Key of the volume's scale; default: the finest. */
  readonly scale?: string;
  readonly chunkSize?: Xyz;
  readonly connectivity?: 6 | 26;
  readonly splitDisconnected?: boolean;
  /** Go on with an unfinished ingest. Default false: refuse. */
  readonly resume?: boolean;
  /** Threads; default: one per processor. */
  readonly parallelism?: number;
  /** Memory that all tasks together may take, in bytes. Default 1 GiB. */
  readonly memoryBytes?: number;
  /** File for the table of labels and their objects. */
  readonly labelsCsv?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface RunIngestReport extends IngestReport {
  /** Largest resident size of this process so far, in bytes. */
  readonly peakMemory: number;
}

const DEFAULT_MEMORY = 2 ** 30;

/**
 * Ingests a segmentation into `data/table`: `rows` (LMDB), `supervoxels` (precomputed) and, until it is complete, `scratch`.
 *
 * @throws UsageError, GraphError, and errors of stores and volumes. What cannot be ingested leaves no trace; what breaks off
 *   later stays, so that it can be resumed.
 */
export async function runIngest(options: RunIngestOptions): Promise<RunIngestReport> {
  const folder = tableFolder(options.data, options.table);
  const report = await ingestInto(folder, options);
  if (options.labelsCsv !== undefined && report.outcome === "nothing to do") {
    throw new UsageError(
      `table ${options.table} was complete before, and its labels are no longer known: give --labels-csv when it is ingested`,
    );
  }
  await removeScratch(folder);
  // Of attempts that were killed. Nobody writes there any more.
  if (report.outcome === "resumed") await sweepLocks(folder.supervoxels, { minAgeMs: 0 });
  return { ...report, peakMemory: process.resourceUsage().maxRSS * 1024 };
}

/** Refuses what a new table cannot be made of. @throws GraphError */
export function checkNewIngest(source: Volume, options: Omit<RunIngestOptions, "volume" | "data">): void {
  checkIngest(source, choicesOf(options), options.memoryBytes ?? DEFAULT_MEMORY);
}

async function ingestInto(folder: TableFolder, options: RunIngestOptions): Promise<IngestReport> {
  let source: Volume;
  try {
    source = await openSource(options.volume);
  } catch (error) {
    // A finished table does not need its source any more.
    const finished = await finishedWithoutSource(folder, options);
    if (finished !== undefined) return finished;
    throw error;
  }
  try {
    if (!existsSync(folder.rows)) checkNewIngest(source, options);
    return await ingestSource(source, folder, options);
  } finally {
    await source.close();
  }
}

async function ingestSource(source: Volume, folder: TableFolder, options: RunIngestOptions): Promise<IngestReport> {
  const csv = options.labelsCsv === undefined ? undefined : await LabelsCsv.create(options.labelsCsv);
  try {
    await makeFolder(folder);
    const report = await ingestAndList(source, folder, options, csv);
    if (report.outcome !== "nothing to do") await csv?.finish();
    return report;
  } finally {
    await csv?.discard();
  }
}

async function ingestAndList(
  source: Volume,
  folder: TableFolder,
  options: RunIngestOptions,
  csv: LabelsCsv | undefined,
): Promise<IngestReport> {
  const rows = await openLmdbRowStore(folder.rows);
  const runner = poolRunner({
    module: new URL("./worker.js", import.meta.url),
    parallelism: options.parallelism ?? availableParallelism(),
    maxBytes: options.memoryBytes ?? DEFAULT_MEMORY,
  });
  const [supervoxels, scratch] = await Promise.all([openStore(folder.supervoxels), openStore(folder.scratch)]);
  try {
    const { onProgress, signal } = options;
    return await ingest({
      ...choicesOf(options),
      source,
      rows,
      supervoxels,
      scratch,
      runner,
      ...(csv === undefined ? {} : { onObject: (label, root) => csv.add(label, root) }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
  } finally {
    await runner.close();
    await Promise.all([rows.close(), supervoxels.close(), scratch.close()]);
  }
}

async function finishedWithoutSource(
  folder: TableFolder,
  options: RunIngestOptions,
): Promise<IngestReport | undefined> {
  if (!existsSync(folder.rows)) return undefined;
  const address = await sourceAddress(options.volume);
  if (address === undefined) return undefined;
  const rows = await openLmdbRowStore(folder.rows);
  try {
    return await finishedIngest(rows, address, choicesOf(options));
  } finally {
    await rows.close();
  }
}

function choicesOf(options: Omit<RunIngestOptions, "volume" | "data">): IngestChoices {
  const { table: name, scale, chunkSize, connectivity, splitDisconnected, resume } = options;
  return {
    name,
    ...(scale === undefined ? {} : { scale }),
    ...(chunkSize === undefined ? {} : { chunkSize }),
    ...(connectivity === undefined ? {} : { connectivity }),
    ...(splitDisconnected === undefined ? {} : { splitDisconnected }),
    ...(resume === undefined ? {} : { resume }),
  };
}
