/**
 * Whether an export may write to a place: one that holds no volume, or this very export, unfinished.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { isVolumeError, openVolumeIn, VolumeError } from "@pcg/volume";
import type { GraphSettings, Time } from "../contract.ts";
import { type ExportRecord, readRecord, writeRecord } from "./record.ts";

export interface Claim {
  readonly record: ExportRecord;
  /** Nothing of it was there before. */
  readonly isNew: boolean;
}

/**
 * Puts the record of a new export in its place, or finds that of the one to go on with.
 * @param wanted time to be exported; `undefined` leaves it to the record that is there, else `now`
 * @throws VolumeError `ALREADY_EXISTS`
 */
export async function claimTarget(
  store: KvStore,
  { name: graph, ingestTime }: GraphSettings,
  { wanted, now, resume, signal }: { wanted: Time | undefined; now: Time; resume: boolean; signal: AbortSignal },
): Promise<Claim> {
  const before = await readRecord(store, signal);
  if (before === undefined) {
    await refuseVolume(store, signal);
    const record: ExportRecord = { graph, ingestTime, time: wanted ?? now, status: "running", finished: 0 };
    if (await writeRecord(store, record, { ifGeneration: null })) return { record, isNew: true };
  }
  const found = before ?? (await readRecord(store, signal));
  const there = found === undefined ? "a volume" : `an export of graph "${found.graph}" at ${isoTime(found.time)}`;
  if (found === undefined || found.graph !== graph || found.ingestTime !== ingestTime)
    throw exists(store, `${there}, which is not this graph; choose another place`);
  if (found.status === "running" && !resume)
    throw exists(store, `${there} that is not finished; resume it, or choose another place`);
  const time = wanted ?? (resume ? found.time : now);
  if (found.time !== time) throw exists(store, `${there}, not at ${isoTime(time)}; choose another place`);
  return { record: found, isNew: false };
}

async function refuseVolume(store: KvStore, signal: AbortSignal): Promise<void> {
  try {
    await openVolumeIn(store, undefined, { signal });
  } catch (error) {
    if (isVolumeError(error, "NOT_FOUND")) return;
    // What cannot be opened is not ours to overwrite either.
    if (!isVolumeError(error)) throw error;
  }
  throw exists(store, "a volume that no export made; choose another place");
}

function exists(store: KvStore, what: string): VolumeError {
  return new VolumeError("ALREADY_EXISTS", `${store.url} holds ${what}`, { url: store.url });
}

function isoTime(time: Time): string {
  return `${new Date(Number(time / 1000n)).toISOString().slice(0, -1)}${String(time % 1000n).padStart(3, "0")}Z`;
}
