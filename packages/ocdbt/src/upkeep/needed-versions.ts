/**
 * Versions that somebody relies on: tags name them, forks began with them or were last merged at them.
 * @module
 */
import { type KvStore, kvStack, withPrefix } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { listRegistrations, readOrigin, readRegistration } from "../fork/registry.ts";
import { listTags } from "../history/tags.ts";

/**
 * Generations of the database that `expire` must keep.
 * @throws `OcdbtError` `unsafe` when a tag or a registered fork cannot be read, so that what it needs is not known
 */
export async function neededGenerations(store: KvStore, uuid: string, signal?: AbortSignal): Promise<Set<bigint>> {
  const needed = new Set<bigint>();
  if (!store.capabilities.list) return needed;
  for await (const { name, tag, error } of listTags(store, uuid, { ...(signal && { signal }) })) {
    // A tag of a database that was here before needs nothing of this one.
    if (tag !== undefined) needed.add(tag.generation);
    else if (error.code !== "version-not-found") throw unknown(`tag ${name}`, error);
  }
  for await (const { id, registration, error } of listRegistrations(store, signal)) {
    if (registration === undefined) throw unknown(`fork ${id}`, error);
    if (registration.base.uuid !== uuid) continue;
    needed.add(registration.base.generation);
    if (registration.synced !== undefined) needed.add(registration.synced.base);
  }
  const origin = await readOrigin(store, "refs/", uuid, signal);
  if (origin === undefined) return needed;
  needed.add(origin.base.generation);
  const registration = (await readRegistration(baseRefs(store), origin.id, signal))?.value;
  if (registration?.uuid === uuid && registration.synced !== undefined) needed.add(registration.synced.fork);
  return needed;
}

/** What a fork sees of the `refs/` of its base, in their place. */
export function baseRefs(fork: KvStore): KvStore {
  return kvStack([{ store: withPrefix(fork, "refs/base/"), prefix: "refs/" }]);
}

function unknown(what: string, cause: OcdbtError): OcdbtError {
  return new OcdbtError(
    "unsafe",
    `it is not known which versions ${what} needs, so none can expire: ${cause.message}`,
    {
      cause,
    },
  );
}
