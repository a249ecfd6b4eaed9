import type { RowStore } from "./contract.ts";
import { RowStoreError } from "./errors.ts";

/** Opens the stores of one scheme; `location` is what follows the scheme's colon, percent-decoded. */
export type RowStoreDriver = (location: string) => RowStore | Promise<RowStore>;

/**
 * Opens a row store by its address with one of the given drivers.
 *
 * @example
 * ```ts
 * const rows = await openRowStore("lmdb:/data/graph", { memory: () => memoryRowStore(), lmdb: openLmdbRowStore });
 * ```
 * @throws RowStoreError `INVALID_URL` or `UNKNOWN_DRIVER`, and whatever the driver throws.
 */
export async function openRowStore(url: string, drivers: Readonly<Record<string, RowStoreDriver>>): Promise<RowStore> {
  const match = /^([a-z][a-z0-9+.-]*):(.*)$/s.exec(url);
  if (match === null) {
    throw new RowStoreError(
      "INVALID_URL",
      `${JSON.stringify(url)} is not the address of a row store; write scheme:location, for example lmdb:/data/graph`,
      { url },
    );
  }
  const [, scheme, location] = match as unknown as [string, string, string];
  const driver = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined;
  if (driver === undefined) {
    throw new RowStoreError(
      "UNKNOWN_DRIVER",
      `no driver for ${JSON.stringify(`${scheme}:`)} row stores (of ${JSON.stringify(url)}); this program has: ${Object.keys(drivers).join(", ")}`,
      { url, scheme },
    );
  }
  return driver(decode(url, location));
}

function decode(url: string, location: string): string {
  // lmdb:///data and lmdb:/data are the same folder.
  const path = location.startsWith("///") ? location.slice(2) : location;
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new RowStoreError(
      "INVALID_URL",
      `${JSON.stringify(url)} has a malformed percent escape; write % as %25`,
      { url },
      cause,
    );
  }
}
