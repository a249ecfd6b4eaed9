/**
 * Removing what killed writers left.
 * @module
 */
import type { Dir } from "node:fs";
import { opendir } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { openAside } from "./descriptors.ts";
import { systemCode, translate } from "./errors.ts";
import { lockfileLocking } from "./lock/lockfile.ts";
import type { Locking } from "./lock/locking.ts";
import { osLocking } from "./lock/os.ts";
import { childPath, isReserved } from "./paths.ts";
import { isAbsence } from "./version.ts";

export interface SweepOptions {
  /** How those lock that write below `root`; `"os"` unless told, as for {@link fileKvStore}. */
  readonly locking?: "os" | "lockfile";
  /**
   * How long, in ms, a file must have been untouched. One minute unless told, one hour for `"lockfile"`, where nothing else
   * tells an unfinished value from an abandoned one. With `"os"`, 0 is safe if every writer locks (TensorStore's mode `none`
   * does not).
   */
  readonly minAgeMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Removes the locks and unfinished values (`*.__lock`) that killed writers left anywhere below `root`, and nothing of those who
 * live. The store hides them and removes those in its way by itself; this is for folders that nobody writes to again. Links are
 * not followed.
 *
 * @returns how many it removed.
 * @throws {@link KvStoreError} `permission`, `failed`; a `root` that is not there is swept.
 */
export async function sweepLocks(root: string | URL, options: SweepOptions = {}): Promise<number> {
  const path = resolve(root instanceof URL ? fileURLToPath(root) : root);
  const [locking, age] = options.locking === "lockfile" ? [lockfileLocking, 3_600_000] : [osLocking, 60_000];
  try {
    return await sweepTree(Buffer.from(path), locking, options.minAgeMs ?? age, options.signal);
  } catch (error) {
    throw translate(error, "sweep", pathToFileURL(path).href);
  }
}

async function sweepTree(folder: Buffer, locking: Locking, minAgeMs: number, signal?: AbortSignal): Promise<number> {
  let removed = 0;
  for await (const { name, isFolder } of children(folder)) {
    signal?.throwIfAborted();
    const path = childPath(folder, name);
    if (isFolder) removed += await sweepTree(path, locking, minAgeMs, signal);
    else if (isReserved(name) && locking.removeIfAbandoned(path, minAgeMs)) removed++;
  }
  return removed;
}

/** Removes what was abandoned directly in a folder. */
export async function sweepFolder(folder: Buffer, locking: Locking): Promise<void> {
  for await (const { name, isFolder } of children(folder)) {
    if (!isFolder && isReserved(name)) {
      locking.removeIfAbandoned(childPath(folder, name), locking.abandonedAfterMs);
    }
  }
}

/** Files and folders directly in a folder, in no order; none when it is not there. */
async function* children(path: Buffer): AsyncGenerator<{ readonly name: Buffer; readonly isFolder: boolean }> {
  let folder: Dir;
  try {
    folder = await openAside(() => opendir(path, { encoding: "buffer" as BufferEncoding }));
  } catch (error) {
    if (isAbsence(systemCode(error))) return;
    throw error;
  }
  for await (const entry of folder) {
    if (entry.isFile() || entry.isDirectory()) {
      yield { name: entry.name as unknown as Buffer, isFolder: entry.isDirectory() };
    }
  }
}
