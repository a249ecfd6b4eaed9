/**
 * What a layer of a stack maps: a range of keys, and how many of their first bytes it takes off.
 * @module
 */
import type { Key, KeyRange, KvStore } from "../contract.ts";
import {
  compareKeys,
  hasPrefix,
  inRange,
  isEmptyRange,
  joinKeys,
  keyBytes,
  prefixRange,
  prefixSuccessor,
  printKey,
} from "../keys.ts";

/**
 * Which keys of a stack: all, or those chosen by `exact`, by `prefix`, or from `inclusiveMin` to before `exclusiveMax`; at most one
 * of these ways. An empty `exclusiveMax` means no end.
 */
export interface LayerSelector {
  readonly exact?: Key;
  readonly prefix?: Key;
  readonly inclusiveMin?: Key;
  readonly exclusiveMax?: Key;
  /**
   * How many bytes are taken off the beginning of a key to get the layer's own; at most as many as all keys of the layer have in
   * common, which is also the default: the prefix, the whole of an exact key, nothing of the whole key space.
   */
  readonly stripPrefix?: number;
}

/** A store and the keys of a stack that it holds. */
export interface StackLayer extends LayerSelector {
  readonly store: KvStore;
}

/** Keys `range`, found in `store` without their first `strip` bytes. */
export interface MappedRange {
  readonly range: KeyRange;
  readonly strip: number;
  readonly store: KvStore;
}

/** @throws `TypeError` when keys are chosen in two ways, `RangeError` for a range or `stripPrefix` that cannot be. */
export function mapSelector(selector: LayerSelector): Omit<MappedRange, "store"> {
  const range = chosenRange(selector);
  const common = commonPrefixLength(range, selector.exact);
  const strip = selector.stripPrefix ?? common;
  if (!Number.isSafeInteger(strip) || strip < 0 || strip > common) {
    throw new RangeError(
      `stripPrefix of a layer must be an integer from 0 to ${common}, the bytes its keys share, not ${strip}`,
    );
  }
  return { range, strip };
}

/** Of a layer that takes off as many bytes as it can, which is then left unsaid. */
export function stripsAll(selector: LayerSelector): boolean {
  const { stripPrefix, exact } = selector;
  return stripPrefix === undefined || stripPrefix === commonPrefixLength(chosenRange(selector), exact);
}

function chosenRange({ exact, prefix, inclusiveMin, exclusiveMax }: LayerSelector): KeyRange {
  const isRange = inclusiveMin !== undefined || exclusiveMax !== undefined;
  if ([exact !== undefined, prefix !== undefined, isRange].filter(Boolean).length > 1) {
    throw new TypeError("a layer takes at most one of exact, prefix, and inclusiveMin with exclusiveMax");
  }
  if (exact !== undefined) return exactRange(keyBytes(exact).slice());
  if (prefix !== undefined) return prefixRange(keyBytes(prefix).slice());
  const start = keyBytes(inclusiveMin ?? "").slice();
  const end = keyBytes(exclusiveMax ?? "").slice();
  if (end.length === 0) return { start };
  if (compareKeys(start, end) > 0) {
    throw new RangeError(`a layer's inclusiveMin ${printKey(start)} is after its exclusiveMax ${printKey(end)}`);
  }
  return { start, end };
}

function exactRange(key: Uint8Array): KeyRange {
  return { start: key, end: joinKeys(key, Uint8Array.of(0)) };
}

/** How many bytes all keys of a range begin with in common. */
function commonPrefixLength({ start, end }: KeyRange, exact?: Key): number {
  if (exact !== undefined) return start.length;
  for (let length = start.length; length > 0; length--) {
    const after = prefixSuccessor(start.subarray(0, length));
    if (after === undefined || (end !== undefined && compareKeys(end, after) <= 0)) return length;
  }
  return 0;
}

/** The layer's own range for a part of its keys. */
export function strippedRange(range: KeyRange, strip: number): KeyRange {
  const prefix = range.start.subarray(0, strip);
  const start = range.start.subarray(strip);
  // An end beyond the keys that begin with the prefix is none in their store's view.
  const bounded = range.end !== undefined && hasPrefix(range.end, prefix);
  return bounded ? { start, end: range.end!.subarray(strip) } : { start };
}

/** The part that maps a key, of parts in order without overlap. */
export function findMapped<T extends { readonly range: KeyRange }>(
  parts: readonly T[],
  key: Uint8Array,
): T | undefined {
  const part = lastNotAfter(parts, key);
  return part !== undefined && inRange(key, part.range) ? part : undefined;
}

/** The last part that begins at a key or before it. */
export function lastNotAfter<T extends { readonly range: KeyRange }>(
  parts: readonly T[],
  key: Uint8Array,
): T | undefined {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(parts[middle]!.range.start, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return parts[low - 1];
}

/** Lays ranges over each other, the later above: what shows is parts in key order, each of one layer. */
export function flattenLayers<T extends { readonly range: KeyRange }>(layers: readonly T[]): T[] {
  return layers.reduce<T[]>(layOver, []);
}

/** One step of {@link flattenLayers}. */
export function layOver<T extends { readonly range: KeyRange }>(parts: readonly T[], layer: T): T[] {
  const { start, end } = layer.range;
  if (isEmptyRange(layer.range)) return [...parts];
  const before: T[] = [];
  const after: T[] = [];
  for (const part of parts) {
    const { range } = part;
    if (compareKeys(range.start, start) < 0) {
      const cut = range.end !== undefined && compareKeys(range.end, start) <= 0 ? range.end : start;
      before.push({ ...part, range: { start: range.start, end: cut } });
    }
    if (end !== undefined && (range.end === undefined || compareKeys(end, range.end) < 0)) {
      const cut = compareKeys(range.start, end) >= 0 ? range.start : end;
      after.push({ ...part, range: range.end === undefined ? { start: cut } : { start: cut, end: range.end } });
    }
  }
  return [...before, layer, ...after];
}
