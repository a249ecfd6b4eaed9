/**
 * Opening a pipeline URL or a JSON spec with the drivers an app chose. There is no global registry: what can be opened is the
 * value that is passed in.
 * @module
 */
import type { KvStore } from "./contract.ts";
import { KvStoreError } from "./errors.ts";
import { withPrefix } from "./prefix.ts";
import { badSpec, isKvStoreSpec, type KvStoreSpec, type KvStoreSpecObject } from "./spec.ts";
import { decodePath, formatUrl, isHttpScheme, type ParsedUrl, parseUrl, type UrlBase, type UrlStage } from "./url.ts";

export interface OpenOptions {
  readonly signal?: AbortSignal;
}

/** Opens a spec found inside another, with the same drivers. */
export type OpenSpec = (spec: KvStoreSpec, options?: OpenOptions) => Promise<KvStore>;

/** What one name means: at the beginning of a pipeline, behind another store, as the `driver` of a JSON spec. */
export interface KvDriver {
  openBase?(base: UrlBase, options: OpenOptions): KvStore | Promise<KvStore>;
  /** Looks into `store`, and takes it over: closing the result closes `store`. */
  openStage?(store: KvStore, stage: UrlStage, options: OpenOptions): KvStore | Promise<KvStore>;
  /**
   * Opens a JSON spec. `spec.driver` is the name this driver was looked up by; `driver` and `path` are strings, every other
   * member is to be checked here: refuse the unknown with {@link checkSpecMembers}, malformed values with `bad-spec`. The driver
   * applies `spec.path` itself, joined to keys as it is (mostly by {@link withPrefix}), and gives the store a
   * {@link KvStore.spec} that opens it again.
   *
   * @param open opens the specs inside this one (a `base`, the `base` of layers). The result takes them over: closing it closes
   * them, and when opening fails half-way, what was opened by then is closed here.
   */
  openSpec?(spec: KvStoreSpecObject, open: OpenSpec, options: OpenOptions): KvStore | Promise<KvStore>;
}

/**
 * Drivers by scheme of a URL, which mostly is TensorStore's name of the driver too (`gs` is `gcs` there). Compose with spread:
 * `{ ...fileDriver(), ...httpDriver(), ...memoryDriver() }`.
 */
export type KvDrivers = Readonly<Record<string, KvDriver>>;

/**
 * Opens the store a pipeline URL names.
 *
 * Format stages (`zarr3:`, `neuroglancer-precomputed:`) are no stores: a caller that knows formats parses first, takes the
 * stages it understands off the end, and passes the rest.
 *
 * @throws {@link KvStoreError} `bad-url`, `unknown-driver` (the message lists the known ones), or what a driver throws;
 * whatever was opened by then is closed again.
 */
export async function openKvStore(
  url: string | ParsedUrl,
  drivers: KvDrivers,
  options: OpenOptions = {},
): Promise<KvStore> {
  const parsed = typeof url === "string" ? parseUrl(url) : url;
  options.signal?.throwIfAborted();
  const openers = parsed.stages.map((stage) => {
    const opener = lookUp(drivers, stage.scheme)?.openStage;
    if (opener === undefined) throw unknown(parsed, `stage "${stage.scheme}:"`, drivers, "openStage");
    return { stage, opener };
  });
  let store = await openBase(parsed, drivers, options);
  try {
    for (const { stage, opener } of openers) {
      options.signal?.throwIfAborted();
      store = await opener(store, stage, options);
    }
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

async function openBase(url: ParsedUrl, drivers: KvDrivers, options: OpenOptions): Promise<KvStore> {
  const { base } = url;
  if (base.scheme === "kvstack") return await openKvStoreSpec(stackInUrl(base), drivers, options);
  const driver = lookUp(drivers, base.scheme);
  if (driver?.openBase === undefined) throw unknown(url, `base "${base.scheme}://"`, drivers, "openBase");
  return await driver.openBase(base, options);
}

/**
 * Opens the store that a spec names, in TensorStore's JSON or as a URL, e.g. `{ driver: "file", path: "/data/" }`.
 *
 * Unlike in {@link openKvStore}, a URL's base path need not be a folder: it is what every key begins with, as the `path` of a
 * spec is, so that `file:///fork/manifest.ocdbt` can serve as the base of a layer that maps one key.
 *
 * @param spec any value parsed from JSON is checked.
 * @throws {@link KvStoreError} `bad-spec`, `bad-url`, `unknown-driver`, or what a driver throws.
 */
export async function openKvStoreSpec(
  spec: KvStoreSpec,
  drivers: KvDrivers,
  options: OpenOptions = {},
): Promise<KvStore> {
  options.signal?.throwIfAborted();
  if (!isKvStoreSpec(spec)) {
    throw badSpec(spec, 'it must be a URL or an object whose "driver" and, if any, "path" are well-formed strings');
  }
  if (typeof spec === "string") return await openPrefix(parseUrl(spec), drivers, options);
  const driver = lookUp(drivers, spec.driver);
  if (driver?.openSpec === undefined) {
    const what = `driver ${JSON.stringify(spec.driver)} of a kvstore spec`;
    throw new KvStoreError("unknown-driver", `no driver for the ${what}; known here: ${known(drivers, "openSpec")}`);
  }
  return await driver.openSpec(spec, (inner, own) => openKvStoreSpec(inner, drivers, own ?? options), options);
}

/** The base path as a folder and the beginning of names in it. The path of a stage is the driver's to read. */
async function openPrefix(url: ParsedUrl, drivers: KvDrivers, options: OpenOptions): Promise<KvStore> {
  const { path } = url.base;
  const end = path.lastIndexOf("/") + 1;
  if (url.stages.length > 0 || end === path.length) return await openKvStore(url, drivers, options);
  const folder = { ...url.base, path: path.slice(0, end) };
  const name = isHttpScheme(url.base.scheme) ? decodePath(path.slice(end), formatUrl(url)) : path.slice(end);
  return withPrefix(await openKvStore({ base: folder, stages: [] }, drivers, options), name);
}

/** The spec that a `kvstack:` base holds; as of every base, its path is a folder. */
function stackInUrl({ authority, path }: UrlBase): KvStoreSpecObject {
  let json: unknown;
  try {
    json = JSON.parse(decodeURIComponent(authority));
  } catch (cause) {
    throw new KvStoreError("bad-url", "a kvstack: URL must go on with percent-encoded JSON", { cause });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json) || "path" in json) {
    throw badSpec(json, 'a kvstack: URL takes an object with "layers"; its path follows the JSON');
  }
  return { ...json, driver: "kvstack", path: path.replace(/^\/+/, "").replace(/([^/])$/, "$1/") };
}

function lookUp(drivers: KvDrivers, scheme: string): KvDriver | undefined {
  return Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined;
}

function unknown(url: ParsedUrl, what: string, drivers: KvDrivers, role: keyof KvDriver): KvStoreError {
  const text = formatUrl(url);
  const message = `no driver for the ${what} of ${text}; known here: ${known(drivers, role)}`;
  return new KvStoreError("unknown-driver", message, { url: text });
}

function known(drivers: KvDrivers, role: keyof KvDriver): string {
  const names = Object.keys(drivers).filter((name) => drivers[name]![role] !== undefined);
  return names.length === 0 ? "none" : names.sort().join(", ");
}
