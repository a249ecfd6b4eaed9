// What the sections share: keys, configuration, clocks, and the list of results.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const KEYS = 100_000;
export const config = {
  maxInlineValueBytes: 100,
  maxDecodedNodeBytes: 65_536,
  versionTreeArityLog2: 4,
  compression: { id: "zstd", level: 0 },
};
export const results = {};

export function report(name, value, unit, better = "lower") {
  results[name] = { value, unit, better };
}

const encoder = new TextEncoder();
export const text = (value) => encoder.encode(value);

/** The key at place `i` of the order. */
export const orderedKey = (i) => text(`key/${String(i).padStart(8, "0")}`);
/** Keys in an order that is not theirs. */
export const key = (i) => orderedKey((i * 7919) % KEYS);

export const value512 = Uint8Array.from({ length: 512 }, (_, i) => i * 37);

/** ms of `work`, or of one of its `times`. */
export async function ms(work, times = 1) {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / times;
}

/** The least of `runs` measurements, after one that warms up. */
export async function best(work, times = 1, runs = 12) {
  await work();
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) least = Math.min(least, await ms(work, times));
  return least;
}

export async function count(list) {
  let entries = 0;
  for await (const _ of list) entries++;
  return entries;
}

/** Bytes of all data files of the database in a folder. */
export function dataBytes(folder) {
  return readdirSync(join(folder, "d")).reduce((sum, name) => sum + statSync(join(folder, "d", name)).size, 0);
}
