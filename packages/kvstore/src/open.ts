/**
 * Opening a pipeline URL with the drivers an app chose. There is no global registry: what can be opened is the value that
 * is passed in.
 * @module
 */
import type { KvStore } from "./contract.ts";
import { KvStoreError } from "./errors.ts";
import { memoryKvStore } from "./memory.ts";
import { withPrefix } from "./prefix.ts";
import { formatUrl, type ParsedUrl, parseUrl, type UrlBase, type UrlStage } from "./url.ts";

export interface OpenOptions {
  readonly signal?: AbortSignal;
}

/** What one scheme means: at the beginning of a pipeline, behind another store, or both. */
export interface KvDriver {
  openBase?(base: UrlBase, options: OpenOptions): KvStore | Promise<KvStore>;
  /** Looks into `store`, and takes it over: closing the result closes `store`. */
  openStage?(store: KvStore, stage: UrlStage, options: OpenOptions): KvStore | Promise<KvStore>;
}

/** Drivers by scheme. Compose with spread: `{ ...fileDriver(), ...httpDriver(), ...memoryDriver() }`. */
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
  const base = lookUp(drivers, parsed.base.scheme);
  if (base?.openBase === undefined) throw unknown(parsed, `base "${parsed.base.scheme}://"`, drivers, "openBase");
  let store = await base.openBase(parsed.base, options);
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

/**
 * Driver of `memory://name/path/`: stores in this process, made on first use, that live as long as the driver value. The
 * same name is the same store; closing what was opened leaves the contents.
 */
export function memoryDriver(): KvDrivers {
  const stores = new Map<string, KvStore>();
  return {
    memory: {
      openBase({ authority, path }) {
        let store = stores.get(authority);
        if (store === undefined) {
          store = memoryKvStore(`memory://${authority}/`);
          stores.set(authority, store);
        }
        const prefix = path.replace(/^\/+/, "").replace(/([^/])$/, "$1/");
        return { ...withPrefix(store, prefix), close: async () => {} };
      },
    },
  };
}

function lookUp(drivers: KvDrivers, scheme: string): KvDriver | undefined {
  return Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined;
}

function unknown(url: ParsedUrl, what: string, drivers: KvDrivers, role: keyof KvDriver): KvStoreError {
  const known = Object.keys(drivers).filter((scheme) => drivers[scheme]![role] !== undefined);
  const list = known.length === 0 ? "none" : known.sort().join(", ");
  return new KvStoreError("unknown-driver", `no driver for the ${what} of ${formatUrl(url)}; known here: ${list}`, {
    url: formatUrl(url),
  });
}
