/**
 * The versions that others hold on to, and garbage collection has to leave.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { listTags } from "../history/tags.ts";
import { listRegistrations, readOrigin, readRegistration } from "./registry.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/**
 * Generations of a database that must not expire, with the reasons: tags, where forks begin, where a fork and its base last
 * agreed.
 *
 * @throws {@link OcdbtError} `unsafe` when a sidecar cannot be read, since it may hold one more.
 */
export async function pinnedGenerations(
  db: OcdbtDatabase,
  options: Cancel = {},
): Promise<ReadonlyMap<bigint, readonly string[]>> {
  const { store } = db.parts;
  const { signal } = options;
  const pins = new Map<bigint, string[]>();
  const pin = (generation: bigint, reason: string): void => {
    pins.set(generation, [...(pins.get(generation) ?? []), reason]);
  };
  for await (const { name, tag, error } of listTags(store, db.uuid, options)) {
    if (tag !== undefined) pin(tag.generation, `tag ${name}`);
    // A tag of a database that was here before holds nothing of this one.
    else if (error.code !== "version-not-found") throw unsafe(`tag ${name} cannot be read`, error);
  }
  for await (const { id, registration, error } of listRegistrations(store, signal)) {
    if (registration === undefined) throw unsafe(`the registration of fork ${id} cannot be read`, error);
    if (registration.base.uuid !== db.uuid) continue;
    pin(registration.base.generation, `fork ${id} begins here`);
    if (registration.agreed !== undefined) pin(registration.agreed.base, `fork ${id} last agreed here`);
  }
  const origin = await readOrigin(store, "refs/", db.uuid, signal);
  if (origin !== undefined) {
    pin(origin.base.generation, "this fork begins here");
    const own = await readRegistration(store, origin.id, signal, "refs/base/");
    if (own?.value.uuid === db.uuid && own.value.agreed !== undefined) {
      pin(own.value.agreed.fork, "this fork and its base last agreed here");
    }
  }
  return pins;
}

function unsafe(what: string, cause?: OcdbtError): OcdbtError {
  const message = `${what}, and it may need what would be removed. Put it right, or drop it, first`;
  return new OcdbtError("unsafe", message, cause === undefined ? {} : { cause });
}
