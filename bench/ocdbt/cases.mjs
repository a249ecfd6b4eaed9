// What `amplification` edits; the peer reads the same list from `cases.json`.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { text } from "./measure.mjs";

/**
 * `keys`: how many; `kind`: how they are spelled; `value`: bytes of each; `edit`: what an edit begins with, a random value unless told;
 * `inline`, `node`: the limits of the configuration; `atDefaults`: each side's own, the peer with `inline` and `node` if they are there.
 */
export const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));
export const EDITS = 32;

export function keyOf({ kind }, i) {
  if (kind === "ordered") return text(`key/${String(i).padStart(8, "0")}`);
  if (kind === "hashed") return createHash("sha256").update(`${i}`).digest().subarray(0, 16);
  const [x, y, z] = [i % 100, Math.floor(i / 100) % 100, Math.floor(i / 10_000)].map((at) => at * 64);
  return text(`8_8_40/${x}-${x + 64}_${y}-${y + 64}_${z}-${z + 64}`);
}

/** Bytes that do not compress. */
export function contentOf({ value }, i) {
  return createHash("shake128", { outputLength: value }).update(`${i}`).digest();
}

/** The key that edit `i` changes. */
export function edited({ keys }, i) {
  return (i * 7919 * 31) % keys;
}
