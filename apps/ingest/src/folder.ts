import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { UsageError } from "./errors.ts";

const TABLE_NAME = /^[A-Za-z0-9_][\w.-]{0,127}$/;

/** Where a table's parts lie in a data folder. */
export interface TableFolder {
  readonly path: string;
  /** Folder of the row store (LMDB). */
  readonly rows: string;
  /** URL of the supervoxel volume (precomputed). */
  readonly supervoxels: string;
  /** URL of what an ingest keeps for itself until it is complete. */
  readonly scratch: string;
}

/** @throws UsageError for a name that is no table name, or that would leave the data folder. */
export function tableFolder(data: string, table: string): TableFolder {
  if (!TABLE_NAME.test(table)) {
    throw new UsageError(
      `table ${JSON.stringify(table)} is no name of a table: use 1 to 128 letters, digits, "_", "." or "-", not beginning with "." or "-"`,
    );
  }
  const path = resolve(data, table);
  const url = (part: string): string => pathToFileURL(`${join(path, part)}/`).href;
  return { path, rows: join(path, "rows"), supervoxels: url("supervoxels"), scratch: url("scratch") };
}

export async function makeFolder(folder: TableFolder): Promise<void> {
  await mkdir(folder.rows, { recursive: true });
}

export async function removeScratch(folder: TableFolder): Promise<void> {
  await rm(fileURLToPath(folder.scratch), { recursive: true, force: true });
}
