import { type KvDrivers, type KvStore, openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { httpDriver } from "@pcg/kvstore/http";

const drivers: KvDrivers = { ...fileDriver(), ...httpDriver() };

/** Opens files, and what can be read over HTTP. */
export function openStore(url: string): Promise<KvStore> {
  return openKvStore(url, drivers);
}
