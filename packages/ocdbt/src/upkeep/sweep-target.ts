/**
 * Whose files a sweep may remove, and who may need them.
 * @module
 */
import { type KvStore, prefixRange } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { forkDataPrefix, insideFolder } from "../fork/layout.ts";
import { listRegistrations, readOrigin, readRegistration } from "../fork/registry.ts";
import { bytesToPath } from "../format/index.ts";
import { DEFAULT_PREFIXES } from "../io/data-file-writer.ts";
import { dataPrefixOf } from "./own-files.ts";

export interface SweepTarget {
  /** The database that the family of all who may need the files begins with. */
  readonly root: KvStore;
  /** The member whose files are swept: a fork, or `undefined` for the root itself. */
  readonly forkUuid: string | undefined;
  /** Known prefixes of its data files. */
  readonly prefixes: readonly string[];
  /** Whether a prefix that its versions tell is its own, too. */
  readonly owns: (prefix: string) => boolean;
}

/** @throws `OcdbtError` `unsafe` when that cannot be told */
export async function findSweepTarget(
  db: OcdbtDatabase,
  base: KvStore | undefined,
  signal: AbortSignal | undefined,
): Promise<SweepTarget> {
  const { store } = db.parts;
  const origin = await readOrigin(store, "refs/", db.uuid, signal);
  if (origin === undefined) return await baseTarget(store, signal);
  const target = { prefixes: [forkDataPrefix(origin.id)], owns: () => false };
  const registration = (await readRegistration(store, origin.id, signal, "refs/base/"))?.value;
  if (registration?.uuid !== db.uuid) {
    throw unsafe(
      origin.id,
      `its base does not list it, so it is not known whether versions of the base need its files`,
    );
  }
  if (!registration.lendsFiles) return { ...target, root: store, forkUuid: undefined };
  if (base === undefined) {
    throw unsafe(origin.id, "its base has merged it, and may need its files; pass the store of the base");
  }
  return { ...target, root: base, forkUuid: db.uuid };
}

async function baseTarget(store: KvStore, signal: AbortSignal | undefined): Promise<SweepTarget> {
  const registered = new Set<string>();
  for await (const { id } of listRegistrations(store, signal)) registered.add(id);
  const isRegistered = (prefix: string): boolean => {
    const id = /^forks\/([^/]+)\//.exec(prefix)?.[1];
    return id !== undefined && registered.has(id);
  };
  const prefixes = new Set(Object.values(DEFAULT_PREFIXES));
  // Files of forks that were dropped, left because a merge made this database refer to them.
  for await (const { key } of store.list({ range: prefixRange("forks/"), ...(signal && { signal }) })) {
    const prefix = dataPrefixOf(bytesToPath(key));
    const id = prefix === undefined ? undefined : /^forks\/([^/]+)\//.exec(prefix)?.[1];
    if (id === undefined || registered.has(id)) continue;
    if (prefix === insideFolder(id) + forkDataPrefix(id)) prefixes.add(prefix);
  }
  // What lies below a base path is another database's, from which a subtree was copied.
  return { root: store, forkUuid: undefined, prefixes: [...prefixes], owns: (prefix) => !isRegistered(prefix) };
}

function unsafe(id: string, why: string): OcdbtError {
  return new OcdbtError("unsafe", `no file of fork ${id} can be removed: ${why}`, { fields: { id } });
}
