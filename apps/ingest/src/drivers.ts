import { formatUrl, isKvStoreError, type KvDrivers, type KvStore, openKvStore, parseUrl } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { httpDriver } from "@pcg/kvstore/http";
import { openVolume, type Volume } from "@pcg/volume";

const drivers: KvDrivers = { ...fileDriver(), ...httpDriver() };

/** Opens what can be read: files, and http(s) and gs addresses. */
export function openStore(url: string): Promise<KvStore> {
  return openKvStore(url, drivers);
}

export function openSource(url: string): Promise<Volume> {
  return openVolume(url, { open: openStore });
}

/** Address of a volume's store without a format, as volumes themselves say it; `undefined` when the URL is none. */
export async function sourceAddress(url: string): Promise<string | undefined> {
  try {
    const { base, stages } = parseUrl(url);
    const store = await openStore(formatUrl({ base, stages: stages.filter(({ scheme }) => scheme in drivers) }));
    await store.close();
    return store.url;
  } catch (error) {
    if (isKvStoreError(error)) return undefined;
    throw error;
  }
}
