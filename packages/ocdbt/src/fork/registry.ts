/**
 * What a base knows of its forks, `refs/forks/<id>.json`, and a fork of its base, `refs/origin-<uuid>.json`. A registration
 * is made before the fork itself, so that whoever removes files of the base always knows who may need them; one without a
 * fork is a fork that was never finished.
 * @module
 */
import { type KvStore, type KvStoreSpecObject, withPrefix } from "@pcg/kvstore";
import type { Head } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { type FoundSidecar, readSidecar, type SidecarFields, sidecarBytes, sidecarNames } from "../history/sidecar.ts";
import { checkForkId } from "./layout.ts";

/** A version of a database, told by itself. */
export interface VersionIdentity extends Head {
  readonly uuid: string;
}

/** Where a fork's folder is: below the base, or a store of its own. */
export type ForkLocation = { readonly path: string } | { readonly url: string; readonly spec?: KvStoreSpecObject };

/**
 * What a fork and its base last agreed on: the version of the side `on`, all of which was in the newest version of the other, too; and the generations
 * that both had then.
 */
export interface Agreement {
  readonly on: "fork" | "base";
  readonly fork: bigint;
  readonly base: bigint;
}

export interface ForkRegistration {
  readonly id: string;
  /** Of the fork's database. */
  readonly uuid: string;
  readonly location: ForkLocation;
  /** The version of the base it begins with. Kept by `expire`. */
  readonly base: VersionIdentity;
  /** Once something was merged; `expire` keeps both versions. Before, they agree on `base`. */
  readonly agreed?: Agreement;
  /** The base refers to values in the fork's files: these must outlive the fork. */
  readonly lendsFiles: boolean;
  /** It is being removed. */
  readonly dropping: boolean;
  /** ISO 8601. */
  readonly created: string;
}

/** Where a fork comes from, as it says itself. */
export interface ForkOrigin {
  readonly id: string;
  readonly uuid: string;
  readonly base: VersionIdentity & { readonly url: string };
  readonly created: string;
}

/** One file under `refs/forks/`: a registration, or why it cannot be read. */
export type ListedRegistration = { readonly id: string } & (
  | { readonly registration: ForkRegistration; readonly error?: never }
  | { readonly registration?: never; readonly error: OcdbtError }
);

/**
 * @param refs `refs/`, or `refs/base/` to ask the base of a fork.
 * @throws {@link OcdbtError} `corrupt`, `unsupported`
 */
export async function readRegistration(
  base: KvStore,
  id: string,
  signal?: AbortSignal,
  refs = "refs/",
): Promise<FoundSidecar<ForkRegistration> | undefined> {
  checkForkId(id);
  return await readSidecar(base, registrationKey(id, refs), "fork", (fields) => parseRegistration(id, fields), signal);
}

/** All registrations in order of id, also those that cannot be read: garbage collection must know of them. */
export async function* listRegistrations(base: KvStore, signal?: AbortSignal): AsyncGenerator<ListedRegistration> {
  for await (const id of sidecarNames(base, "refs/forks/", signal)) {
    try {
      const found = await readRegistration(base, id, signal);
      if (found !== undefined) yield { id, registration: found.value };
    } catch (error) {
      if (!isOcdbtError(error)) throw error;
      yield { id, error };
    }
  }
}

/** Writes if the registration still is as `ifGeneration` says (`null`: absent). @returns whether it did. */
export async function writeRegistration(
  base: KvStore,
  registration: ForkRegistration,
  ifGeneration: string | null,
  signal?: AbortSignal,
): Promise<boolean> {
  const { id, base: from, agreed, ...rest } = registration;
  const key = registrationKey(id);
  const bytes = sidecarBytes(key, "fork", {
    id,
    ...rest,
    base: identityMembers(from),
    ...(agreed && { agreed: { on: agreed.on, fork: String(agreed.fork), base: String(agreed.base) } }),
  });
  const { written } = await base.write(key, bytes, { ifGeneration, ...(signal && { signal }) });
  if (written) return true;
  // An answer that was lost and asked for again finds its own writing.
  const found = await base.read(key, { ...(signal && { signal }) });
  return found !== undefined && found.size === bytes.length && found.value.every((byte, i) => byte === bytes[i]);
}

/** Changes a registration that exists, whatever else changes it meanwhile. */
export async function updateRegistration(
  base: KvStore,
  id: string,
  change: (registration: ForkRegistration) => ForkRegistration,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    const found = await readRegistration(base, id, signal);
    if (found === undefined) {
      throw new OcdbtError("not-found", `fork ${id} is no longer registered in ${base.url}`, { fields: { id } });
    }
    if (await writeRegistration(base, change(found.value), found.storeGeneration, signal)) return;
  }
}

/** Removes the registration of the fork with this uuid, if that is what is registered. */
export async function removeRegistration(
  base: KvStore,
  { id, uuid }: Pick<ForkRegistration, "id" | "uuid">,
  signal?: AbortSignal,
): Promise<void> {
  const found = await readRegistration(base, id, signal);
  if (found?.value.uuid !== uuid) return;
  await base.write(registrationKey(id), null, { ifGeneration: found.storeGeneration, ...(signal && { signal }) });
}

/**
 * Where the fork with this uuid comes from; `undefined`: it is no fork, or one that was made by other means.
 *
 * @param refs `refs/`, or `refs/base/` to ask a fork about its base.
 */
export async function readOrigin(
  store: KvStore,
  refs: string,
  uuid: string,
  signal?: AbortSignal,
): Promise<ForkOrigin | undefined> {
  return (await readSidecar(store, originKey(refs, uuid), "origin", (fields) => parseOrigin(uuid, fields), signal))
    ?.value;
}

export async function writeOrigin(forkFolder: KvStore, origin: ForkOrigin, signal?: AbortSignal): Promise<void> {
  const { base, ...rest } = origin;
  const key = originKey("refs/", origin.uuid);
  const bytes = sidecarBytes(key, "origin", { ...rest, base: { ...identityMembers(base), url: base.url } });
  await forkFolder.write(key, bytes, { ...(signal && { signal }) });
}

/** The folder of a fork inside its base. `undefined`: it lies elsewhere. */
export function folderInside(base: KvStore, location: ForkLocation): KvStore | undefined {
  return "path" in location ? withPrefix(base, location.path) : undefined;
}

function registrationKey(id: string, refs = "refs/"): string {
  return `${refs}forks/${id}.json`;
}

function identityMembers({ uuid, generation, commitTime }: VersionIdentity): Record<string, string> {
  return { uuid, generation: String(generation), commitTime: String(commitTime) };
}

function parseIdentity(fields: SidecarFields): VersionIdentity {
  return {
    uuid: fields.uuid("uuid"),
    generation: fields.generation("generation"),
    commitTime: fields.uint64("commitTime"),
  };
}

function parseRegistration(id: string, fields: SidecarFields): ForkRegistration {
  const agreed = fields.optionalObject("agreed");
  return {
    id,
    uuid: fields.uuid("uuid"),
    location: parseLocation(fields.object("location")),
    base: parseIdentity(fields.object("base")),
    ...(agreed && { agreed: parseAgreed(agreed) }),
    lendsFiles: fields.raw("lendsFiles") === true,
    dropping: fields.raw("dropping") === true,
    created: fields.text("created"),
  };
}

function parseAgreed(fields: SidecarFields): Agreement {
  const on = fields.text("on") === "fork" ? "fork" : "base";
  return { on, fork: fields.generation("fork"), base: fields.generation("base") };
}

function parseLocation(fields: SidecarFields): ForkLocation {
  const path = fields.optionalText("path");
  if (path === undefined) {
    const spec = fields.optionalObject("spec");
    spec?.text("driver");
    return { url: fields.text("url"), ...(spec && { spec: fields.raw("spec") as KvStoreSpecObject }) };
  }
  // It becomes a folder of the base: nothing that leaves it.
  if (/^([A-Za-z0-9_][A-Za-z0-9._-]*\/)+$/.test(path)) return { path };
  throw new OcdbtError(
    "corrupt",
    `a registration names the folder ${JSON.stringify(path)}, which is none below its base`,
  );
}

function originKey(refs: string, uuid: string): string {
  return `${refs}origin-${uuid}.json`;
}

function parseOrigin(uuid: string, fields: SidecarFields): ForkOrigin {
  const base = fields.object("base");
  return {
    id: fields.text("id"),
    uuid,
    base: { ...parseIdentity(base), url: base.text("url") },
    created: fields.text("created"),
  };
}
