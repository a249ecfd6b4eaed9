/**
 * Whether files that nothing refers to yet can still be referred to, when much time has passed since they were written.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { isOcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import { readSweepRecord } from "../upkeep/sweep-record.ts";

/** `seen`: there, but a sweep may remove it any time; `gone`: it is not there. */
export type SweptFile = "seen" | "gone";

/** Requests at a time. */
const READS = 32;

/**
 * Those of `files` that are not safe for `MIN_GRACE_MS` from now on. A sweep removes what an earlier one has recorded, and takes it out of
 * the record last: so what is not recorded, and then there, is removed by no sweep that has begun.
 */
export async function sweptFiles(
  files: Iterable<string>,
  {
    store,
    uuid,
    signal,
  }: { readonly store: KvStore; readonly uuid: string; readonly signal?: AbortSignal | undefined },
): Promise<ReadonlyMap<string, SweptFile>> {
  const swept = new Map<string, SweptFile>();
  const names = [...new Set(files)];
  if (names.length === 0) return swept;
  const aside = signal === undefined ? {} : { signal };
  const record = await readSweepRecord(store, uuid, signal).catch((error: unknown) => {
    // What a torn record said is not known.
    if (isOcdbtError(error, "corrupt")) return undefined;
    throw error;
  });
  for (let start = 0; start < names.length; start += READS) {
    const look = async (name: string): Promise<void> => {
      const found = await store.read(pathToBytes(name), { range: { offset: 0, length: 0 }, ...aside });
      if (found === undefined) swept.set(name, "gone");
      else if (record?.has(name) ?? true) swept.set(name, "seen");
    };
    await Promise.all(names.slice(start, start + READS).map(look));
  }
  return swept;
}
