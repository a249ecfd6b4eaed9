/**
 * Data files that belong to a database: those under its own prefixes whose names are those of data files. Nothing else is ever removed.
 * @module
 */
import { type KvStore, prefixRange } from "@pcg/kvstore";
import { bytesToPath, pathToBytes } from "../format/index.ts";
import type { DatabaseParts } from "../parts.ts";

/** A prefix need not end with a slash. */
const DATA_FILE = /^(.*)[0-9a-f]{32}$/s;

/** A data file that was found. */
export interface FoundFile {
  readonly path: string;
  /** `undefined` when the store does not say. */
  readonly bytes: number | undefined;
}

/** What the names of this handle's own data files begin with. Nothing is written to find out. */
export function ownPrefixes({ newDataFileWriter }: Pick<DatabaseParts, "newDataFileWriter">): Set<string> {
  const writer = newDataFileWriter();
  for (const kind of ["value", "btree", "version-tree"] as const) writer.append(new Uint8Array(0), kind);
  return new Set(writer.files.map((path) => dataPrefixOf(path)!));
}

/** Lists the data files under prefixes, in order. */
export async function* listDataFiles(
  store: KvStore,
  prefixes: Iterable<string>,
  signal?: AbortSignal,
): AsyncGenerator<FoundFile> {
  for (const prefix of new Set(prefixes)) {
    const range = prefixRange(pathToBytes(prefix));
    for await (const { key, size } of store.list({ range, ...(signal && { signal }) })) {
      const path = bytesToPath(key);
      if (dataPrefixOf(path) === prefix) yield { path, bytes: size };
    }
  }
}

/** What stands before the name of a data file; `undefined` when it has no such name. */
export function dataPrefixOf(path: string): string | undefined {
  return DATA_FILE.exec(path)?.[1];
}
