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
import type { RowStore } from "@pcg/rowstore";
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

/** What a table's folder holds. */
interface TableStores {
  readonly rows: RowStore;
  readonly supervoxels: KvStore;
  /** The supervoxels as voxels; opened at the first read, as the volume of an unfinished table may not be there. */
  readonly voxels: VoxelSource;
  close(): Promise<void>;
}

/** Names of the tables in a data folder, complete or not. */
export async function tableNames(data: string): Promise<string[]> {
  const entries = await readdir(data, { withFileTypes: true });
  const isTable = (name: string): boolean => TABLE_NAME.test(name) && existsSync(join(data, name, "rows"));
  return entries
    .filter((entry) => entry.isDirectory() && isTable(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** @throws Error when the folder has no such table */
export async function openTableStores(data: string, name: string): Promise<TableStores> {
  const folder = join(data, name);
  if (!TABLE_NAME.test(name) || !existsSync(join(folder, "rows"))) {
    throw new Error(
      `there is no table ${JSON.stringify(name)} in ${data}; tables there: ${(await tableNames(data)).join(", ")}`,
    );
  }
  const rows = await openLmdbRowStore(join(folder, "rows"));
  const supervoxels = fileKvStore(join(folder, "supervoxels"));
  let volume: Promise<Volume> | undefined;
  return {
    rows,
    supervoxels,
    voxels: {
      read: async (box, options) => {
        volume ??= openVolumeIn(supervoxels, "neuroglancer-precomputed");
        return (await volume).scales[0]!.read(box, options);
      },
    },
    close: async () => {
      await supervoxels.close();
      await rows.close();
    },
  };
}

/** Opens one table. @throws GraphError `not-ingested` when its ingest is not complete, and errors of its stores */
export async function openTable(data: string, name: string, options: OpenTableOptions = {}): Promise<OpenedTable> {
  const { rows, supervoxels, voxels, close } = await openTableStores(data, name);
  try {
    const graph = await openGraph({ rows, voxels, logger: graphLogger(options.logger) });
    const ownImage = join(data, name, "image");
    const image = options.image ?? (existsSync(join(ownImage, "info")) ? fileKvStore(ownImage) : undefined);
    return {
      name,
      graph,
      supervoxels,
      ...(image && { image }),
      close: async () => {
        await graph.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens every complete table of a data folder; those still being ingested are named in the log and left out. */
export async function openTables(data: string, logger: Logger): Promise<Map<string, OpenedTable>> {
  const tables = new Map<string, OpenedTable>();
  for (const name of await tableNames(data)) {
    try {
      tables.set(name, await openTable(data, name, { logger }));
    } catch (error) {
      if (isGraphError(error, "not-ingested")) {
        logger.info({ table: name }, `not served: ${error.message}`);
        continue;
      }
      for (const table of tables.values()) await table.close();
      throw new Error(`table "${name}" cannot be opened: ${(error as Error).message}`, { cause: error });
    }
  }
  return tables;
}

function graphLogger(logger: Logger | undefined): { warn(message: string, fields: { readonly error: unknown }): void } {
  return { warn: (message, { error }) => logger?.error({ err: error }, message) };
}
