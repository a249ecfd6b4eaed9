/**
 * One export out of a data folder, with the drivers of this machine.
 * @module
 */
import { availableParallelism } from "node:os";
import type { Time } from "@pcg/chunkedgraph";
import { type ExportOptions, type ExportReport, exportObjects } from "@pcg/chunkedgraph/export";
import { formatUrl, type KvStore, parseUrl, withPrefix } from "@pcg/kvstore";
import type { OnProgress } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
import { type VolumeFormat, volumeFormats, type Xyz } from "@pcg/volume";
import { ConfigError } from "./config.ts";
import { openStore } from "./drivers.ts";
import { openTable } from "./open-tables.ts";
import { supervoxelVolume } from "./supervoxel-volume.ts";

export interface ExportTableOptions {
  readonly data: string;
  readonly table: string;
  /** Path or URL; without a format it becomes precomputed. */
  readonly to: string;
  readonly time?: Time;
  readonly chunkSize?: Xyz;
  /** Of precomputed chunks. */
  readonly encoding?: "compressed_segmentation" | "raw";
  /** Few large files: precomputed shards as the format package deals them, zarr v3 shards of 4×4×4 chunks. */
  readonly sharded?: boolean;
  readonly resume?: boolean;
  readonly parallelism?: number;
  readonly onProgress?: OnProgress;
  readonly signal: AbortSignal;
}

/** Memory that all tasks together may take. */
const TASK_BYTES = 2 ** 30;
const CHUNKS_PER_SHARD = 4;

/** Writes the objects of a table as a volume. @throws ConfigError for options that do not go together */
export async function exportTable(options: ExportTableOptions): Promise<ExportReport> {
  const { data, table: name, time, resume, onProgress, signal } = options;
  const { store: target, format } = await openTarget(options.to);
  try {
    checkStorage(options, format);
    const table = await openTable(data, name);
    try {
      const { chunkSize = (await supervoxelVolume(table.supervoxels)).grid.chunkSize } = options;
      const runner = poolRunner({
        module: new URL("./export-worker.js", import.meta.url),
        parallelism: options.parallelism ?? availableParallelism(),
        maxBytes: TASK_BYTES,
      });
      try {
        return await exportObjects({
          graph: table.graph,
          supervoxels: table.supervoxels,
          target,
          format,
          chunkSize,
          ...storageOf(options, format, chunkSize, table.graph.settings.size),
          runner,
          signal,
          ...(time !== undefined && { time }),
          ...(resume !== undefined && { resume }),
          ...(onProgress && { onProgress }),
        });
      } finally {
        await runner.close();
      }
    } finally {
      await table.close();
    }
  } finally {
    await target.close();
  }
}

/** The store that a URL names, and the format of its last stage. */
async function openTarget(to: string): Promise<{ readonly store: KvStore; readonly format: VolumeFormat }> {
  const { base, stages } = parseUrl(to);
  const last = stages.at(-1);
  const format = volumeFormats.find((name) => name === last?.scheme);
  if (format === undefined) return { store: await openStore(to), format: "neuroglancer-precomputed" };
  const store = await openStore(formatUrl({ base, stages: stages.slice(0, -1) }));
  const path = last!.path.replace(/^\/+|\/+$/g, "");
  return { store: path === "" ? store : withPrefix(store, `${path}/`), format };
}

function checkStorage({ encoding, sharded }: ExportTableOptions, format: VolumeFormat): void {
  if (encoding !== undefined && format !== "neuroglancer-precomputed")
    throw new ConfigError(`--encoding ${encoding} is of precomputed volumes, not of ${format}`);
  if (sharded === true && format === "zarr2") throw new ConfigError("--sharded: zarr v2 has no shards; use |zarr3:");
}

function storageOf(
  { encoding, sharded = false }: ExportTableOptions,
  format: VolumeFormat,
  chunkSize: Xyz,
  size: Xyz,
): Pick<ExportOptions, "precomputed" | "zarr"> {
  if (format === "neuroglancer-precomputed")
    return { precomputed: { ...(encoding && { encoding }), ...(sharded && { sharding: true }) } };
  if (!sharded) return {};
  const along = (axis: 0 | 1 | 2): number =>
    chunkSize[axis] * Math.min(CHUNKS_PER_SHARD, Math.ceil(size[axis] / chunkSize[axis]));
  return { zarr: { shardSize: [along(0), along(1), along(2)] } };
}
