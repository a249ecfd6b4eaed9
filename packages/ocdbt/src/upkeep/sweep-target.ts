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
import { dataPrefixOf, ownPrefixes } from "./own-files.ts";
import { storedManifests } from "./stored-manifests.ts";

export interface SweepTarget {
  /** The database that the family of all who may need the files begins with. */
  readonly root: KvStore;
  /** The member whose files are swept: a fork, or `undefined` for the root itself. */
  readonly forkUuid: string | undefined;
  /** What the names of its data files begin with. */
  readonly prefixes: ReadonlySet<string>;
}

export interface FindTarget {
  readonly base?: KvStore;
  readonly prefixes?: readonly string[];
  readonly signal?: AbortSignal;
}

/** @throws `OcdbtError` `unsafe` when that cannot be told */
export async function findSweepTarget(db: OcdbtDatabase, options: FindTarget): Promise<SweepTarget> {
  const target = await ofDatabase(db, options);
  return options.prefixes === undefined ? target : { ...target, prefixes: new Set(options.prefixes) };
}

async function ofDatabase(db: OcdbtDatabase, { base, prefixes: given, signal }: FindTarget): Promise<SweepTarget> {
  const { store } = db.parts;
  const origin = await readOrigin(store, "refs/", db.uuid, signal);
  if (origin === undefined) {
    if (given === undefined && store.spec?.driver === "kvstack" && mayShareFiles(db)) {
      const message =
        `${store.url} is a stack of stores, a database whose manifest lies elsewhere or perhaps a fork that was made by other means: which of ` +
        `the data files under ${DEFAULT_PREFIXES.value} are its own cannot be told; pass prefixes, or open it with the dataPrefix that is its alone`;
      throw new OcdbtError("unsafe", message, { fields: { url: store.url } });
    }
    return await baseTarget(db, signal);
  }
  const { id } = origin;
  const prefixes = new Set([forkDataPrefix(id)]);
  const registration = (await readRegistration(store, id, signal, "refs/base/"))?.value;
  if (registration?.uuid !== db.uuid) {
    throw unsafe(id, "its base does not list it, so it is not known who may need its files");
  }
  // Values that leave the folder of such a fork are copied.
  if (!("path" in registration.location)) return { prefixes, root: store, forkUuid: undefined };
  // A merge makes the base refer to the fork's files, and so may forks of the base; also those of an earlier fork of this name.
  if (base === undefined)
    throw unsafe(id, "it lies inside its base, which may need its files; pass the store of the base");
  const uuid = (await storedManifests(base, signal))[0]?.manifest?.config.uuid;
  if (uuid === undefined)
    throw unsafe(id, `there is no manifest that can be read in ${base.url}; pass the store of its base`);
  if ((await readOrigin(base, "refs/", uuid, signal)) !== undefined) {
    throw unsafe(id, `${base.url} is a fork, too; pass the store of the database that both came from`);
  }
  return { prefixes, root: base, forkUuid: db.uuid };
}

/** Whether some of its files may have the same prefix as those of another database in the same store: nobody chose it. */
function mayShareFiles({ parts }: OcdbtDatabase): boolean {
  const shared = new Set(Object.values(DEFAULT_PREFIXES));
  return [...ownPrefixes(parts)].some((prefix) => shared.has(prefix));
}

async function baseTarget(db: OcdbtDatabase, signal: AbortSignal | undefined): Promise<SweepTarget> {
  const { store } = db.parts;
  const registered = new Set<string>();
  for await (const { id } of listRegistrations(store, signal)) registered.add(id);
  const prefixes = ownPrefixes(db.parts);
  // Files of forks that were dropped, left because a merge made this database refer to them.
  for await (const { key } of store.list({ range: prefixRange("forks/"), ...(signal && { signal }) })) {
    const prefix = dataPrefixOf(bytesToPath(key));
    const id = prefix === undefined ? undefined : /^forks\/([^/]+)\//.exec(prefix)?.[1];
    if (id !== undefined && !registered.has(id) && prefix === insideFolder(id) + forkDataPrefix(id))
      prefixes.add(prefix);
  }
  return { root: store, forkUuid: undefined, prefixes };
}

function unsafe(id: string, why: string): OcdbtError {
  return new OcdbtError("unsafe", `no file of fork ${id} can be removed: ${why}`, { fields: { id } });
}
