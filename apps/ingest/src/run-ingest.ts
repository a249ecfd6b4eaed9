/**
 * One ingest into a data folder, with the drivers of this machine.
 * @module
 */
import { availableParallelism } from "node:os";
import { type IngestReport, ingest } from "@pcg/chunkedgraph/ingest";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import type { OnProgress } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
import type { Xyz } from "@pcg/volume";
import { openSource, openStore } from "./drivers.ts";
import { UsageError } from "./errors.ts";
import { makeFolder, removeScratch, tableFolder } from "./folder.ts";
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
 * @throws UsageError, GraphError, and errors of stores and volumes; nothing is undone, so that it can be resumed.
 */
export async function runIngest(options: RunIngestOptions): Promise<RunIngestReport> {
  const folder = tableFolder(options.data, options.table);
  const source = await openSource(options.volume);
  try {
    await makeFolder(folder);
    const rows = await openLmdbRowStore(folder.rows);
    const runner = poolRunner({
      module: new URL("./worker.js", import.meta.url),
      parallelism: options.parallelism ?? availableParallelism(),
      maxBytes: options.memoryBytes ?? DEFAULT_MEMORY,
    });
    const [supervoxels, scratch] = await Promise.all([openStore(folder.supervoxels), openStore(folder.scratch)]);
    const csv = options.labelsCsv === undefined ? undefined : new LabelsCsv(options.labelsCsv);
    try {
      const { table, scale, chunkSize, connectivity, splitDisconnected, resume, onProgress, signal } = options;
      const report = await ingest({
        name: table,
        source,
        rows,
        supervoxels,
        scratch,
        runner,
        ...(scale === undefined ? {} : { scale }),
        ...(chunkSize === undefined ? {} : { chunkSize }),
        ...(connectivity === undefined ? {} : { connectivity }),
        ...(splitDisconnected === undefined ? {} : { splitDisconnected }),
        ...(resume === undefined ? {} : { resume }),
        ...(csv === undefined ? {} : { onObject: (label, root) => csv.add(label, root) }),
        ...(onProgress === undefined ? {} : { onProgress }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (csv !== undefined && report.outcome === "nothing to do") {
        throw new UsageError(
          `table ${options.table} was complete before, and its labels are no longer known: give --labels-csv when it is ingested`,
        );
      }
      await csv?.finish();
      await removeScratch(folder);
      return { ...report, peakMemory: process.resourceUsage().maxRSS * 1024 };
    } finally {
      await csv?.discard();
      await runner.close();
      await Promise.all([rows.close(), supervoxels.close(), scratch.close()]);
    }
  } finally {
    await source.close();
  }
}
