/**
 * The tables of a data folder, with this machine's drivers: `DIR/<table>/rows` (LMDB), `DIR/<table>/supervoxels` and,
 * when it is there, `DIR/<table>/image` (precomputed).
 * @module
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isGraphError, openGraph, type VoxelSource } from "@pcg/chunkedgraph";
import type { KvStore } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import { openVolumeIn, type Volume } from "@pcg/volume";
import type { Logger } from "./server.ts";
import { TABLE_NAME, type Table } from "./tables.ts";

/** A table that holds files open. */
export interface OpenedTable extends Table {
  close(): Promise<void>;
}

export interface OpenTableOptions {
  readonly logger?: Logger;
  /** Where the table's image is, when not in the table's folder. */
  readonly image?: KvStore;
}

/** Opens one table. @throws GraphError `not-ingested` when its ingest is not complete, and errors of its stores */
export async function openTable(data: string, name: string, options: OpenTableOptions = {}): Promise<OpenedTable> {
  const folder = join(data, name);
  const rows = await openLmdbRowStore(join(folder, "rows"));
  const supervoxels = fileKvStore(join(folder, "supervoxels"));
  try {
    // The volume of a table whose ingest has just begun is not there yet; the graph says so better.
    let volume: Promise<Volume> | undefined;
    const voxels: VoxelSource = {
      read: async (box, reading) => {
        volume ??= openVolumeIn(supervoxels, "neuroglancer-precomputed");
        return (await volume).scales[0]!.read(box, reading);
      },
    };
    const graph = await openGraph({ rows, voxels, logger: graphLogger(options.logger) });
    const image =
      options.image ?? (existsSync(join(folder, "image", "info")) ? fileKvStore(join(folder, "image")) : undefined);
    return {
      name,
      graph,
      supervoxels,
      ...(image && { image }),
      close: async () => {
        await graph.close();
        await supervoxels.close();
        await rows.close();
      },
    };
  } catch (error) {
    await rows.close();
    throw error;
  }
}

/** Opens every complete table of a data folder; those still being ingested are named in the log and left out. */
export async function openTables(data: string, logger: Logger): Promise<Map<string, OpenedTable>> {
  const tables = new Map<string, OpenedTable>();
  for (const entry of (await readdir(data, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!entry.isDirectory() || !TABLE_NAME.test(entry.name) || !existsSync(join(data, entry.name, "rows"))) continue;
    try {
      tables.set(entry.name, await openTable(data, entry.name, { logger }));
    } catch (error) {
      if (!isGraphError(error, "not-ingested")) throw error;
      logger.info({ table: entry.name }, `not served: ${error.message}`);
    }
  }
  return tables;
}

function graphLogger(logger: Logger | undefined): { warn(message: string, fields: { readonly error: unknown }): void } {
  return { warn: (message, { error }) => logger?.error({ err: error }, message) };
}
