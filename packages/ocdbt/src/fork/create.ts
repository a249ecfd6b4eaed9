/**
 * Making a fork: a copy of the base's manifest that goes its own way.
 *
 * Order: the registration in the base (from then on nobody removes what the fork will need), the version nodes and the
 * origin in the fork's folder, last its manifest, created only if absent. Whatever is interrupted before that leaves no
 * fork, and can be done again.
 * @module
 */
import { type KvStore, prefixRange, withPrefix } from "@pcg/kvstore";
import { checkRequest } from "../config-json.ts";
import type { OcdbtDatabase, VersionSpec } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { type Config, decodeManifest, encodeVersionNode, MANIFEST_KEY, type Manifest } from "../format/index.ts";
import { holdVersion } from "../history/hold-version.ts";
import { now } from "../history/sidecar.ts";
import { truncateManifest } from "../history/truncate.ts";
import { requireVersion } from "../history/versions.ts";
import { createDataFileWriter } from "../io/data-file-writer.ts";
import { SingleManifest } from "../io/single-manifest.ts";
import { checkForkId, forkDataPrefix, forkStack, insideFolder } from "./layout.ts";
import {
  type ForkLocation,
  type ForkRegistration,
  readRegistration,
  removeRegistration,
  writeOrigin,
  writeRegistration,
} from "./registry.ts";

export interface ForkOptions {
  /**
   * The fork's own folder, outside of the base. Otherwise it is `forks/<id>/` inside, from where {@link merge} can take
   * values without copying.
   */
  readonly folder?: KvStore;
  /** Where it begins; the newest version unless told. */
  readonly version?: VersionSpec;
  /** What the fork's writers do otherwise than the base's. */
  readonly config?: Partial<Pick<Config, "maxInlineValueBytes" | "maxDecodedNodeBytes" | "compression">>;
  readonly signal?: AbortSignal;
}

/**
 * Makes a fork of a database: it begins with a version of the base, its history and all its keys, and then changes on its
 * own. The cost does not depend on the number of keys. The fork has a uuid of its own, since it is another database: leases,
 * tags and messages of the base are not its.
 *
 * @throws {@link OcdbtError} `already-exists`; `unsupported` when the base has numbered manifests; `version-not-found`;
 * `unsafe` when the base has keys of its own where the fork's data files would be; `bad-spec` for the id and the
 * configuration.
 */
export async function fork(base: OcdbtDatabase, id: string, options: ForkOptions = {}): Promise<ForkRegistration> {
  checkForkId(id);
  const { signal, config } = options;
  checkRequest(config ?? {});
  const { store } = base.parts;
  checkBase(base, id);
  const folder = options.folder ?? withPrefix(store, insideFolder(id));
  const location = locationOf(id, options.folder);
  const { generation, commitTime } = await requireVersion(base, options.version ?? { ancestor: 0 }, signal);
  await checkPrefixIsFree(store, id, signal);
  const registration: ForkRegistration = {
    id,
    uuid: crypto.randomUUID().replaceAll("-", ""),
    location,
    base: { uuid: base.uuid, generation, commitTime },
    lendsFiles: await holdsFiles(folder, id, signal),
    dropping: false,
    created: now(),
  };
  const earlier = await register(store, folder, registration, signal);
  const manifest = await prepare(base, folder, registration, config ?? {}, signal);
  await createManifest(store, folder, registration, earlier, manifest, signal);
  await confirmRegistration(store, registration, signal);
  return registration;
}

function checkBase(base: OcdbtDatabase, id: string): void {
  const { store } = base.parts;
  const fields = { id, url: store.url };
  if (base.config.manifestKind === "numbered") {
    const message =
      `${store.url} cannot be forked: it has numbered manifests, and a fork shares the names of all files but its own. ` +
      "Copy its keys into a database with a single manifest first";
    throw new OcdbtError("unsupported", message, { fields });
  }
  if (!store.capabilities.conditionalWrites) {
    const message = `${store.url} cannot be forked: without conditional writes two forks ${id} could overwrite each other`;
    throw new OcdbtError("unsupported", message, { fields });
  }
}

function locationOf(id: string, folder: KvStore | undefined): ForkLocation {
  if (folder === undefined) return { path: insideFolder(id) };
  return { url: folder.url, ...(folder.spec && { spec: folder.spec }) };
}

/** The fork's layer hides what the base has under the same prefix: it must have nothing there. */
async function checkPrefixIsFree(store: KvStore, id: string, signal: AbortSignal | undefined): Promise<void> {
  const prefix = forkDataPrefix(id);
  for await (const _ of store.list({ range: prefixRange(prefix), ...(signal && { signal }) })) {
    const message = `${store.url} has files under ${prefix} itself, which fork ${id} could not see; choose another id`;
    throw new OcdbtError("unsafe", message, { fields: { id, prefix } });
  }
}

/** Whether a fork of that name left its data files when it was dropped: the base refers to some of them. */
async function holdsFiles(folder: KvStore, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  for await (const _ of folder.list({ range: prefixRange(forkDataPrefix(id)), ...(signal && { signal }) })) return true;
  return false;
}

/** @returns the registration of an unfinished fork of that name, which this one takes the place of. */
async function register(
  store: KvStore,
  folder: KvStore,
  registration: ForkRegistration,
  signal: AbortSignal | undefined,
): Promise<ForkRegistration | undefined> {
  const { id, location } = registration;
  const found = await readRegistration(store, id, signal);
  const there = await folder.read(MANIFEST_KEY, { range: { offset: 0, length: 0 }, ...(signal && { signal }) });
  if (there !== undefined) throw exists(id, `has a manifest in ${folder.url}`);
  if (found !== undefined && JSON.stringify(found.value.location) !== JSON.stringify(location)) {
    throw exists(
      id,
      `is registered in ${store.url} with its folder elsewhere: ${JSON.stringify(found.value.location)}`,
    );
  }
  if (found?.value.dropping) throw exists(id, "is being dropped; drop it again to the end");
  if (await writeRegistration(store, registration, found?.storeGeneration ?? null, signal)) return found?.value;
  throw exists(id, "is being made by somebody else at this moment");
}

/** Everything that the fork's manifest refers to, written; and that manifest. */
async function prepare(
  base: OcdbtDatabase,
  folder: KvStore,
  registration: ForkRegistration,
  config: Partial<Config>,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  const { id, uuid, base: from, created } = registration;
  const { store, nodes, manifests } = base.parts;
  const aside = { ...(signal && { signal }) };
  // After the registration: what is there now stays.
  const isHeld = await holdVersion(base, from.generation, `fork ${id}`, aside);
  const stored = isHeld ? await manifests.read({ maxStalenessMs: 0, ...aside }) : undefined;
  const prefix = forkDataPrefix(id);
  const writer = createDataFileWriter(forkStack(store, folder, id), {
    prefixes: { value: prefix, btree: prefix, "version-tree": prefix },
    targetFileBytes: Number.POSITIVE_INFINITY,
  });
  const truncated =
    stored &&
    (await truncateManifest(stored.manifest, from.generation, nodes, {
      writeNode: async (node) => writer.append(await encodeVersionNode(node, base.config.compression), "version-tree"),
      ...aside,
    }));
  if (truncated === undefined) {
    await removeRegistration(store, registration, signal);
    const message = `generation ${from.generation} of ${store.url} expired while fork ${id} was being made`;
    throw new OcdbtError("version-not-found", message, { fields: { id, generation: from.generation } });
  }
  await writer.flush(aside);
  await writeOrigin(folder, { id, uuid, base: { ...from, url: store.url }, created }, signal);
  return { ...truncated, config: { ...truncated.config, ...config, uuid } };
}

async function createManifest(
  store: KvStore,
  folder: KvStore,
  registration: ForkRegistration,
  earlier: ForkRegistration | undefined,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const findVersion = async (): Promise<undefined> => undefined;
  const stored = await new SingleManifest(folder, findVersion).replace(undefined, manifest, {
    ...(signal && { signal }),
  });
  if (stored !== undefined) return;
  // Another one came first: the registration is its again.
  const uuid = await uuidOf(folder, signal);
  if (earlier !== undefined && earlier.uuid === uuid) {
    const found = await readRegistration(store, registration.id, signal);
    if (found?.value.uuid === registration.uuid) await writeRegistration(store, earlier, found.storeGeneration, signal);
  }
  throw exists(registration.id, "was made by somebody else at the same time");
}

/** Whoever lost the race may have registered in between; the one whose manifest it is has the last word. */
async function confirmRegistration(
  store: KvStore,
  registration: ForkRegistration,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    const found = await readRegistration(store, registration.id, signal);
    if (found?.value.uuid === registration.uuid) return;
    if (await writeRegistration(store, registration, found?.storeGeneration ?? null, signal)) return;
  }
}

async function uuidOf(folder: KvStore, signal: AbortSignal | undefined): Promise<string | undefined> {
  const found = await folder.read(MANIFEST_KEY, { ...(signal && { signal }) });
  return found && (await decodeManifest(found.value, { file: MANIFEST_KEY })).config.uuid;
}

function exists(id: string, why: string): OcdbtError {
  return new OcdbtError("already-exists", `fork ${id} ${why}; open that one, or choose another id`, { fields: { id } });
}
