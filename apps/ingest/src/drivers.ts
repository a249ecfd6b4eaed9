import { type KvDrivers, type KvStore, openKvStore } from "@pcg/kvstore";
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
