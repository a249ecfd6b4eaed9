/**
 * Walking the files of a range in bytewise key order.
 * @module
 */
import { readdir, stat } from "node:fs/promises";
import type { KeyRange } from "../contract.ts";
import { compareKeys, inRange, isEmptyRange, joinKeys, prefixSuccessor } from "../keys.ts";
import { openAside } from "./descriptors.ts";
import { systemCode } from "./errors.ts";
import { childPath, isReserved } from "./paths.ts";
import { isAbsence } from "./version.ts";

export interface WalkOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called for a folder after everything in it was yielded. */
  readonly leaveFolder?: (path: Buffer) => Promise<void>;
  /** The folders that this one was come to by. */
  readonly above?: readonly Buffer[];
}

interface Child {
  /** The name; a folder's ends in a slash, which puts it where its keys belong. */
  readonly name: Uint8Array;
  readonly isFolder: boolean;
}

const slash = Uint8Array.of(0x2f);

/**
 * Keys of the files in `range` under `folder`, whose own key prefix is `prefix`. Opens only folders that can hold such
 * keys. Links are followed, but not to a folder that they lie in, since there is no end to its keys. Memory: the names of one folder per
 * level.
 */
export async function* walkFiles(
  folder: Buffer,
  prefix: Uint8Array,
  range: KeyRange,
  options: WalkOptions,
): AsyncGenerator<{ key: Uint8Array; path: Buffer }> {
  options.signal?.throwIfAborted();
  const above = [...(options.above ?? []), folder];
  for (const child of await children(folder, above)) {
    options.signal?.throwIfAborted();
    const key = joinKeys(prefix, child.name);
    if (range.end !== undefined && compareKeys(key, range.end) >= 0) break;
    if (!child.isFolder) {
      if (inRange(key, range)) yield { key, path: childPath(folder, child.name) };
      continue;
    }
    const after = prefixSuccessor(key);
    if (isEmptyRange(after === undefined ? { start: range.start } : { start: range.start, end: after })) continue;
    const path = childPath(folder, child.name.subarray(0, -1));
    yield* walkFiles(path, key, range, { ...options, above });
  }
  await options.leaveFolder?.(folder);
}

/** Files and folders directly in `folder`, in key order, without reserved names; none when it is not there. */
async function children(folder: Buffer, above: readonly Buffer[]): Promise<Child[]> {
  const found: Child[] = [];
  try {
    const read = () => readdir(folder, { withFileTypes: true, encoding: "buffer" as never });
    for (const entry of await openAside(read)) {
      const name = entry.name as unknown as Buffer;
      if (isReserved(name)) continue;
      let isFolder = entry.isDirectory();
      if (entry.isSymbolicLink()) {
        const kind = await kindBehindLink(childPath(folder, name), above);
        if (kind === undefined) continue;
        isFolder = kind === "folder";
      } else if (!isFolder && !entry.isFile()) continue;
      found.push({ name: isFolder ? joinKeys(name, slash) : name, isFolder });
    }
  } catch (error) {
    if (!isAbsence(systemCode(error))) throw error;
  }
  return found.sort((a, b) => compareKeys(a.name, b.name));
}

/** `undefined` also for a link that leads to itself or to one of the folders above. */
async function kindBehindLink(path: Buffer, above: readonly Buffer[]): Promise<"file" | "folder" | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    if (stats.isFile()) return "file";
    if (!stats.isDirectory()) return undefined;
    for (const folder of above) {
      const other = await stat(folder, { bigint: true });
      if (other.ino === stats.ino && other.dev === stats.dev) return undefined;
    }
    return "folder";
  } catch (error) {
    if (isAbsence(systemCode(error))) return undefined;
    throw error;
  }
}
