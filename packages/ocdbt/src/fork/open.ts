/**
 * Forks that exist: opening, publishing, listing.
 * @module
 */
import { type KvStore, type KvStoreSpecObject, storeSpec } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { MANIFEST_KEY } from "../format/index.ts";
import { openOcdbt } from "../open.ts";
import type { OpenOptions } from "../open-options.ts";
import { checkForkId, forkDataPrefix, forkStack } from "./layout.ts";
import {
  type ForkLocation,
  type ForkRegistration,
  folderInside,
  listRegistrations,
  readRegistration,
} from "./registry.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Opens the folder of a fork that lies outside of its base; `undefined`: it cannot. */
export type OpenFolder = (
  location: Extract<ForkLocation, { url: string }>,
) => KvStore | undefined | Promise<KvStore | undefined>;

export interface FindFork extends Cancel {
  /** The fork's own folder. Needed only if it lies outside of the base. */
  readonly folder?: KvStore;
}

/** Fixed by what a fork is: its data prefix, and that it exists. */
export type OpenForkOptions = FindFork & Omit<OpenOptions, "dataPrefix" | "manifestStore" | "create" | "config">;

/** A fork in the registry of its base. */
export interface ListedFork {
  readonly id: string;
  readonly registration?: ForkRegistration;
  /**
   * `unfinished`: registered, but it has no manifest: it was interrupted while it was made, is being made, or was removed by
   * other means. `unreachable`: its folder lies elsewhere, and was not opened. `unreadable`: see `error`.
   */
  readonly state: "ready" | "unfinished" | "dropping" | "unreachable" | "unreadable";
  readonly error?: OcdbtError;
}

/**
 * Opens a fork: its own keys over those of the base, one database to read and write. What is written lands in the fork's
 * folder alone. Closing it leaves `base` open.
 *
 * @param base the store that the base lies in.
 * @throws {@link OcdbtError} `not-found` before anything else is read, when there is no such fork.
 */
export async function openFork(base: KvStore, id: string, options: OpenForkOptions = {}): Promise<OcdbtDatabase> {
  const { folder: _folder, ...rest } = options;
  const stack = await findFork(base, id, options);
  return await openOcdbt(stack, { ...rest, dataPrefix: forkDataPrefix(id), create: false });
}

/**
 * The JSON with which TensorStore opens a fork, to read and to write: to be passed on verbatim, with a `version` added for
 * time travel. It has no `config`: that is the fork's own.
 *
 * @throws {@link OcdbtError} `not-found` when there is no such fork; `KvStoreError` `unsupported` when a store has no JSON
 * form.
 */
export async function publishedSpec(base: KvStore, id: string, options: FindFork = {}): Promise<KvStoreSpecObject> {
  const prefix = forkDataPrefix(id);
  return {
    driver: "ocdbt",
    base: storeSpec(await findFork(base, id, options)),
    value_data_prefix: prefix,
    btree_node_data_prefix: prefix,
    version_tree_node_data_prefix: prefix,
  };
}

/** The forks of a database in order of id, whatever state they are in. */
export async function* listForks(
  base: KvStore,
  options: Cancel & { readonly openFolder?: OpenFolder } = {},
): AsyncGenerator<ListedFork> {
  const { openFolder, signal } = options;
  for await (const { id, registration, error } of listRegistrations(base, signal)) {
    if (registration === undefined) yield { id, state: "unreadable", error };
    else yield { id, registration, state: await stateOf(base, registration, openFolder, signal) };
  }
}

/** The stack of a fork that is there. */
async function findFork(base: KvStore, id: string, { folder, signal }: FindFork): Promise<KvStore> {
  checkForkId(id);
  const own = folder ?? (await registeredFolder(base, id, signal));
  const manifest = await own.read(MANIFEST_KEY, { range: { offset: 0, length: 0 }, ...(signal && { signal }) });
  if (manifest !== undefined) return forkStack(base, own, id);
  throw notFound(
    id,
    `there is no ${MANIFEST_KEY} in ${own.url}. Make the fork first, or name the folder that it lies in`,
  );
}

async function registeredFolder(base: KvStore, id: string, signal: AbortSignal | undefined): Promise<KvStore> {
  const registration = (await readRegistration(base, id, signal))?.value;
  if (registration === undefined) {
    throw notFound(id, `it is not registered in ${base.url}. Make the fork first, or name the folder that it lies in`);
  }
  if (registration.dropping) throw notFound(id, "it is being dropped");
  const inside = folderInside(base, registration.location);
  if (inside !== undefined) return inside;
  throw outsideOfBase(registration);
}

/** The field `url` says which folder has to be opened. */
export function outsideOfBase({ id, location }: ForkRegistration): OcdbtError {
  const { url } = location as Extract<ForkLocation, { url: string }>;
  const message = `fork ${id} lies outside of its base, in ${url}; open that and pass it as folder`;
  return new OcdbtError("bad-spec", message, { fields: { id, url } });
}

async function stateOf(
  base: KvStore,
  registration: ForkRegistration,
  openFolder: OpenFolder | undefined,
  signal: AbortSignal | undefined,
): Promise<ListedFork["state"]> {
  const { location, dropping } = registration;
  if (dropping) return "dropping";
  const inside = folderInside(base, location);
  const folder = inside ?? (await openFolder?.(location as Extract<ForkLocation, { url: string }>));
  if (folder === undefined) return "unreachable";
  try {
    const manifest = await folder.read(MANIFEST_KEY, { range: { offset: 0, length: 0 }, ...(signal && { signal }) });
    return manifest === undefined ? "unfinished" : "ready";
  } finally {
    if (inside === undefined) await folder.close();
  }
}

function notFound(id: string, why: string): OcdbtError {
  return new OcdbtError("not-found", `there is no fork ${id}: ${why}`, { fields: { id } });
}
