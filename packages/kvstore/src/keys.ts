/**
 * Keys as bytes: conversion, order and ranges.
 * @module
 */
import type { Key, KeyRange, ListOptions } from "./contract.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a key. Throws `TypeError` for a string with lone surrogates, which has no UTF-8 form. */
export function keyBytes(key: Key): Uint8Array {
  if (typeof key !== "string") {
    if (key instanceof Uint8Array) return key;
    throw new TypeError(`a key is a Uint8Array or a string, not ${key === null ? "null" : typeof key}`);
  }
  if (hasLoneSurrogate(key)) throw new TypeError(`key ${printKey(key)} is not well-formed Unicode: no UTF-8 form`);
  return encoder.encode(key);
}

/** The text of a key, or `undefined` when its bytes are not UTF-8. */
export function keyText(key: Key): string | undefined {
  if (typeof key === "string") return key;
  try {
    return decoder.decode(key);
  } catch {
    return undefined;
  }
}

/** One UTF-16 unit per byte: a string for use in maps, equal exactly when the bytes are. */
export function keyName(key: Uint8Array): string {
  let name = "";
  for (let i = 0; i < key.length; i++) name += String.fromCharCode(key[i]!);
  return name;
}

/** A key as it appears in messages: quoted text, or `0x…` when it is not UTF-8; long keys are shortened. */
export function printKey(key: Key): string {
  const text = keyText(key);
  if (text !== undefined) {
    let shown = text.slice(0, 200);
    // Control characters take six in quotes.
    while (JSON.stringify(shown).length > 202) shown = shown.slice(0, -1);
    return JSON.stringify(shown === text ? text : `${shown}…`);
  }
  let hex = "0x";
  for (const byte of (key as Uint8Array).subarray(0, 64)) hex += byte.toString(16).padStart(2, "0");
  return key.length > 64 ? `${hex}…` : hex;
}

/** Bytewise order: negative when `a` comes first, 0 when equal. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Whether `key` begins with `prefix`. */
export function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  if (key.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (key[i] !== prefix[i]) return false;
  return true;
}

/** The first key after every key that begins with `prefix`; `undefined` when there is none (empty, or all 0xff). */
export function prefixSuccessor(prefix: Key): Uint8Array | undefined {
  const bytes = keyBytes(prefix);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  if (end === 0) return undefined;
  const successor = bytes.slice(0, end);
  successor[end - 1]!++;
  return successor;
}

/** The range of exactly the keys that begin with `prefix`. */
export function prefixRange(prefix: Key): KeyRange {
  const start = keyBytes(prefix);
  const end = prefixSuccessor(start);
  return end === undefined ? { start } : { start, end };
}

/** The keys in both ranges; possibly none, see {@link isEmptyRange}. */
export function intersectRanges(a: KeyRange, b: KeyRange): KeyRange {
  const start = compareKeys(a.start, b.start) >= 0 ? a.start : b.start;
  let end = a.end;
  if (end === undefined || (b.end !== undefined && compareKeys(b.end, end) < 0)) end = b.end;
  return end === undefined ? { start } : { start, end };
}

/** Whether no key can be in the range. */
export function isEmptyRange(range: KeyRange): boolean {
  return range.end !== undefined && compareKeys(range.start, range.end) >= 0;
}

/** Whether `key` is in the range. */
export function inRange(key: Uint8Array, range: KeyRange): boolean {
  return compareKeys(key, range.start) >= 0 && (range.end === undefined || compareKeys(key, range.end) < 0);
}

/** The one range that `prefix` and `range` of list options ask for together. */
export function listRange(options: ListOptions = {}): KeyRange {
  const within = prefixRange(options.prefix ?? new Uint8Array(0));
  return options.range === undefined ? within : intersectRanges(within, options.range);
}

/** `prefix` followed by `key`. */
export function joinKeys(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  const joined = new Uint8Array(prefix.length + key.length);
  joined.set(prefix);
  joined.set(key, prefix.length);
  return joined;
}

function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
