/**
 * Removing a fork.
 * @module
 */
import { type KvStore, prefixRange } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { decodeManifest, MANIFEST_KEY } from "../format/index.ts";
import { forkDataPrefix } from "./layout.ts";
import { type FindFork, outsideOfBase } from "./open.ts";
import {
  type ForkRegistration,
  folderInside,
  listRegistrations,
  readRegistration,
  removeRegistration,
  updateRegistration,
} from "./registry.ts";

/**
 * Removes a fork: its manifest first, then its files, last its registration. Interrupted, it is no fork any more, and can be
 * dropped again to the end.
 *
 * @returns whether its data files stay, because a merge made the base refer to values in them; a sweep of the base removes
 * those that nothing needs any more.
 * @throws {@link OcdbtError} `not-found`; `unsafe` when it has forks of its own, or the folder is not its; `bad-spec` when its folder is not known.
 */
export async function dropFork(
  base: OcdbtDatabase,
  id: string,
  options: FindFork = {},
): Promise<{ readonly keptFiles: boolean }> {
  const { signal } = options;
  const { store } = base.parts;
  const registration = (await readRegistration(store, id, signal))?.value;
  if (registration === undefined) {
    throw new OcdbtError("not-found", `there is no fork ${id} registered in ${store.url}`, { fields: { id } });
  }
  const folder = options.folder ?? folderInside(store, registration.location);
  if (folder === undefined) throw outsideOfBase(registration);
  if (options.folder !== undefined) await checkFolder(folder, registration, signal);
  for await (const { id: inner } of listRegistrations(folder, signal)) {
    const message = `fork ${id} has a fork of its own, ${inner}, which needs its files; drop that one first`;
    throw new OcdbtError("unsafe", message, { fields: { id, inner } });
  }
  let marked = registration;
  const mark = (current: ForkRegistration): ForkRegistration => {
    marked = { ...current, dropping: true };
    return marked;
  };
  await updateRegistration(store, id, mark, signal);
  const remove = async (prefix: string): Promise<void> =>
    await folder.deleteRange(prefixRange(prefix), { ...(signal && { signal }) });
  await remove("manifest.");
  if (!marked.lendsFiles) await remove(forkDataPrefix(id));
  await remove("coordinator/");
  await remove("refs/");
  await removeRegistration(store, marked, signal);
  return { keptFiles: marked.lendsFiles };
}

/** Whoever passes the wrong folder keeps it: that of another fork, or of the base itself. */
async function checkFolder(
  folder: KvStore,
  { id, uuid }: ForkRegistration,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await folder.read(MANIFEST_KEY, { ...(signal && { signal }) });
  if (found === undefined) return;
  const { config } = await decodeManifest(found.value, { file: MANIFEST_KEY });
  if (config.uuid === uuid) return;
  const message = `${folder.url} holds database ${config.uuid}, and fork ${id} is ${uuid}; pass the folder of the fork`;
  throw new OcdbtError("unsafe", message, { fields: { id, uuid, found: config.uuid } });
}
