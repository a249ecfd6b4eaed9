/**
 * What a sweep found unneeded and left for a later one, in `refs/sweep.json`. Stores do not tell how old a file is; a file that was
 * unneeded at two sweeps is at least as old as the time between them.
 * @module
 */
import type { Generation, KvStore, ReadResult } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";

const KEY = "refs/sweep.json";
const MAX_BYTES = 256 * 2 ** 20;

/** Path of each unneeded file to when a sweep saw it first, ms since the epoch. */
export type SweepRecord = ReadonlyMap<string, number>;

interface Known {
  readonly generation: Generation;
  readonly uuid: string;
  readonly record: SweepRecord;
}

/** What was read last, by store: commits may look at a record that has a hundred thousand names and changes once a day. */
const known = new WeakMap<KvStore, Known>();

/** @throws `OcdbtError` `corrupt` */
export async function readSweepRecord(store: KvStore, uuid: string, signal?: AbortSignal): Promise<SweepRecord> {
  const last = known.get(store);
  const options = { range: { offset: 0, length: MAX_BYTES }, ...(signal && { signal }) };
  const found =
    last?.uuid === uuid
      ? await store.read(KEY, { ...options, ifNotGeneration: last.generation })
      : await store.read(KEY, options);
  if (found === "unchanged") return last!.record;
  known.delete(store);
  if (found === undefined) return new Map();
  const record = decode(found, uuid);
  known.set(store, { generation: found.generation, uuid, record });
  return record;
}

function decode(found: ReadResult, uuid: string): SweepRecord {
  if (found.size > MAX_BYTES) throw corrupt(`it has ${found.size} bytes, at most ${MAX_BYTES} are read`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(found.value));
  } catch (cause) {
    throw corrupt("it is no JSON text", cause);
  }
  const record = value as { readonly schema?: unknown; readonly uuid?: unknown; readonly files?: unknown } | null;
  if (record?.schema !== 1 || typeof record.files !== "object" || record.files === null) {
    throw corrupt("it is not of a form that is known");
  }
  // Files of a database that was here before are nothing to go by.
  if (record.uuid !== uuid) return new Map();
  const files = new Map<string, number>();
  for (const [path, seen] of Object.entries(record.files)) {
    if (!Number.isSafeInteger(seen)) throw corrupt(`the time of ${JSON.stringify(path)} is no number`);
    files.set(path, seen as number);
  }
  return files;
}

/** Replaces the record; an empty one is removed. */
export async function writeSweepRecord(
  store: KvStore,
  uuid: string,
  files: SweepRecord,
  signal?: AbortSignal,
): Promise<void> {
  const members = { schema: 1, kind: "sweep", uuid, files: Object.fromEntries(files) };
  const bytes = files.size === 0 ? null : new TextEncoder().encode(`${JSON.stringify(members)}\n`);
  await store.write(KEY, bytes, { ...(signal && { signal }) });
}

function corrupt(reason: string, cause?: unknown): OcdbtError {
  const message = `cannot read ${KEY} beside the database: ${reason}. Remove it; files then wait once more`;
  return new OcdbtError("corrupt", message, { fields: { file: KEY }, ...(cause === undefined ? {} : { cause }) });
}
