/**
 * What a URL on the command line names: a database, perhaps one of its forks, one of its versions, a folder of keys in it.
 * @module
 */
import { type KvDrivers, type KvStore, kvStackDriver, openKvStore, parseUrl } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { httpDriver } from "@pcg/kvstore/http";
import {
  type ConfigRequest,
  configFromJson,
  coordinatedCommitter,
  isOcdbtError,
  type OcdbtDatabase,
  type OcdbtView,
  type OpenOptions,
  openFork,
  openOcdbt,
  parseStagePath,
  type VersionSpec,
} from "@pcg/ocdbt";
import { httpTransport } from "@pcg/ocdbt/coordinator-http";
import { UsageError } from "./errors.ts";
import { type Named, openNamedSpec } from "./open-spec.ts";

/** Options that every command with a database has. */
export interface DatabaseFlags {
  readonly fork?: string;
  readonly forkFolder?: string;
  readonly coordinatorToken?: string;
  readonly direct?: true;
}

export interface OpenFlags extends DatabaseFlags {
  /** Make a database where there is none. */
  readonly create?: boolean;
  /** TensorStore's JSON. */
  readonly config?: string;
}

export interface Opened {
  readonly db: OcdbtDatabase;
  /** What the URL names; of a fork, its base. */
  readonly store: KvStore;
  /** The version the URL names; the newest if none. */
  readonly view: OcdbtView;
  readonly version: VersionSpec | undefined;
  /** What the URL puts before keys. */
  readonly prefix: string;
  close(): Promise<void>;
}

const drivers: KvDrivers = { ...fileDriver(), ...httpDriver(), ...kvStackDriver() };

/** Opens `url`: `file:///db/`, a bare path, either with `|ocdbt:[@version/][folder/]`, or a JSON spec of TensorStore. */
export async function openDatabase(url: string, flags: OpenFlags, signal: AbortSignal): Promise<Opened> {
  const named = await openNamed(url, signal);
  const { store, version, prefix, manifestStore } = named;
  try {
    const db = await openIn(named, flags, signal);
    const view = version === undefined ? db : await db.at(version, { signal });
    return {
      db,
      store,
      view,
      version,
      prefix,
      close: async () => {
        await db.close();
        await Promise.all([store.close(), manifestStore?.close()]);
      },
    };
  } catch (error) {
    await Promise.all([store.close(), manifestStore?.close()]);
    throw error;
  }
}

/** The store a whole database lies in, without looking whether it does. */
export async function openWhole(url: string, signal: AbortSignal): Promise<Pick<Named, "store" | "dataPrefix">> {
  const named = await openNamed(url, signal);
  const { store, manifestStore } = named;
  if (named.version === undefined && named.prefix === "" && manifestStore === undefined) return named;
  await Promise.all([store.close(), manifestStore?.close()]);
  if (manifestStore !== undefined)
    throw new UsageError(
      "the spec names a manifest elsewhere; this command is about databases whose files lie together",
    );
  throw new UsageError(`${url} names a version or a folder of a database; this command is about the whole of it`);
}

/**
 * Runs `use` with the folder of a fork: what is told, or if the fork turns out to lie outside of its base, the one that its base
 * knows. `use` is begun anew then, so it must do nothing before it has found the fork.
 */
export async function findingFork<T>(
  told: string | undefined,
  signal: AbortSignal,
  use: (where: { readonly folder?: KvStore }) => Promise<T>,
): Promise<T> {
  if (told !== undefined) return await use({ folder: await openFolder(told, signal) });
  try {
    return await use({});
  } catch (error) {
    if (!isOcdbtError(error, "bad-spec") || !("id" in error.fields) || typeof error.fields.url !== "string")
      throw error;
    return await use({ folder: await openFolder(error.fields.url, signal) });
  }
}

/** A folder or other store, as it is. */
export function openFolder(url: string, signal: AbortSignal): Promise<KvStore> {
  return openKvStore(url, drivers, { signal });
}

async function openIn(named: Named, flags: OpenFlags, signal: AbortSignal): Promise<OcdbtDatabase> {
  const { store, dataPrefix, targetDataFileBytes, manifestStore } = named;
  const options = { signal, ...(flags.direct ? {} : { committer: coordinated(flags) }) } satisfies OpenOptions;
  if (flags.config !== undefined && named.config !== undefined)
    throw new UsageError("the JSON spec has a config already; leave out --config");
  if (flags.fork === undefined) {
    const config = flags.config === undefined ? named.config : parseConfig(flags.config);
    return await openOcdbt(store, {
      ...options,
      create: flags.create ?? false,
      ...(config === undefined ? {} : { config }),
      ...(dataPrefix === undefined ? {} : { dataPrefix }),
      ...(targetDataFileBytes === undefined ? {} : { targetDataFileBytes }),
      ...(manifestStore === undefined ? {} : { manifestStore }),
    });
  }
  if (manifestStore !== undefined) throw new UsageError("--fork is for databases whose files lie together");
  if (flags.config !== undefined || named.config !== undefined)
    throw new UsageError("a config is for a new database; a fork gets its own by `fork`");
  const id = flags.fork;
  return await findingFork(flags.forkFolder, signal, (where) => openFork(store, id, { ...options, ...where }));
}

/** Through the coordinator when the database has one that can be reached. */
function coordinated({ coordinatorToken }: DatabaseFlags): NonNullable<OpenOptions["committer"]> {
  const options = coordinatorToken === undefined ? {} : { token: coordinatorToken };
  return coordinatedCommitter({
    connect: ({ address }) => (address === null ? undefined : httpTransport(address, options)),
  });
}

export function parseConfig(text: string): ConfigRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--config ${text} is not JSON: ${(error as Error).message}`);
  }
  return configFromJson(json);
}

async function openNamed(url: string, signal: AbortSignal): Promise<Named> {
  if (url.startsWith("{")) return await openNamedSpec(url, drivers, signal);
  const parsed = parseUrl(url);
  const last = parsed.stages.at(-1);
  const at = parsed.stages.findIndex(({ scheme }) => scheme === "ocdbt");
  if (at >= 0 && parsed.stages[at] !== last) {
    const behind = parsed.stages[at + 1]!.scheme;
    throw new UsageError(`${url} goes on behind |ocdbt:, and commands are about the database: leave out |${behind}:…`);
  }
  if (last?.scheme !== "ocdbt") {
    return { store: await openKvStore(parsed, drivers, { signal }), version: undefined, prefix: "" };
  }
  const { version, path } = parseStagePath(last.path);
  const base = { ...parsed, stages: parsed.stages.slice(0, -1) };
  return { store: await openKvStore(base, drivers, { signal }), version, prefix: path };
}
