/**
 * What garbage collection has to leave: versions that tags and forks hold, and the forks whose trees reach into the files of a base.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { MANIFEST_KEY } from "../format/index.ts";
import { listTags } from "../history/tags.ts";
import { forkStack } from "./layout.ts";
import type { OpenFolder } from "./open.ts";
import {
  type ForkLocation,
  type ForkRegistration,
  folderInside,
  listRegistrations,
  readOrigin,
  readRegistration,
} from "./registry.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/**
 * Generations of a database that must not expire, with the reasons: tags, where forks begin, where a fork and its base last agreed.
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

/** A fork whose versions refer to files of the base. */
export interface ForkRoot {
  readonly registration: ForkRegistration;
  /** The fork's database lies here, under the names of the base. `undefined`: it is being made, or was never finished. */
  readonly stack: KvStore | undefined;
}

/**
 * All forks of a database, and the forks of these, to mark what they need. A fork that is being made needs whatever versions of the base up
 * to its own have; nothing should be removed until it is there, or has been given up.
 *
 * @param openFolder opens the folders of forks outside of the base.
 * @throws {@link OcdbtError} `unsafe` when a fork is registered that cannot be read.
 */
export async function* forkRoots(
  base: KvStore,
  options: Cancel & { readonly openFolder?: OpenFolder } = {},
): AsyncGenerator<ForkRoot> {
  const { openFolder, signal } = options;
  for await (const { id, registration, error } of listRegistrations(base, signal)) {
    if (registration === undefined) throw unsafe(`the registration of fork ${id} cannot be read`, error);
    const { location } = registration;
    const inside = folderInside(base, location);
    const folder = inside ?? (await openFolder?.(location as Extract<ForkLocation, { url: string }>));
    if (folder === undefined) throw unsafe(`the folder of fork ${id}, ${JSON.stringify(location)}, was not opened`);
    try {
      const manifest = await folder.read(MANIFEST_KEY, { range: { offset: 0, length: 0 }, ...(signal && { signal }) });
      const stack = manifest === undefined ? undefined : forkStack(base, folder, id);
      yield { registration, stack };
      if (stack !== undefined) yield* forkRoots(stack, options);
    } finally {
      if (inside === undefined) await folder.close();
    }
  }
}

function unsafe(what: string, cause?: OcdbtError): OcdbtError {
  const message = `${what}, and it may need what would be removed. Put it right, or drop it, first`;
  return new OcdbtError("unsafe", message, cause === undefined ? {} : { cause });
}
