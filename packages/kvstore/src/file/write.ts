/**
 * Replacing and deleting one file, atomically towards readers, other writers and crashes.
 *
 * A value goes to a temporary file in the folder of its key, which is synced and renamed over the target while the key's
 * lock is held; then the folder is synced. Readers see a whole old or new value at any time. A crash leaves at most a
 * temporary file, which lists hide and the next writer in that folder removes.
 * @module
 */
import { type BigIntStats, fstatSync, renameSync } from "node:fs";
import { unlink } from "node:fs/promises";
import type { Generation, WriteResult } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { renameFile, syncFile } from "./disk.ts";
import { systemCode } from "./errors.ts";
import { type Folders, syncFolder } from "./folders.ts";
import type { HeldLock, Locking } from "./lock/locking.ts";
import { forgetFile } from "./open-files.ts";
import { lockPath, parentPath } from "./paths.ts";
import { endTemporary, makeTemporary, type StagedFile, smallBytes, stageFile } from "./temporary.ts";
import { unlinkIfThere } from "./unlink.ts";
import { generationOf, isAbsence, makeLater, statValue, waitUntilPast } from "./version.ts";

/** How often a folder may vanish, or a fresh temporary be swept away, under one write, before it must be something else. */
const maxAttempts = 100;

export interface WriteContext {
  readonly folders: Folders;
  readonly locking: Locking;
  readonly fsync: boolean;
  readonly ifGeneration?: Generation | null | undefined;
  readonly unique?: boolean | undefined;
  /** The lock of the path, which is given up when the change has been made. */
  readonly held?: HeldLock | undefined;
  /** Of the path and value. */
  readonly staged?: StagedFile | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Puts a value at `path` under its lock, if the condition holds. */
export async function replaceFile(path: Buffer, value: Uint8Array, context: WriteContext): Promise<WriteResult> {
  const isUnique = context.unique === true && context.ifGeneration === null;
  return await inFolder(path, context, async () => {
    if (isUnique) return await createUnique(path, value, context);
    const result = await replaceOnce(path, value, context);
    if (result.written && context.fsync) await confirmFolder(parentPath(path));
    return result;
  });
}

/** Makes a value durable that is about to be put at `path`. */
export async function stageValue(
  path: Buffer,
  value: Uint8Array,
  context: Pick<WriteContext, "folders" | "locking" | "signal">,
): Promise<StagedFile> {
  return await inFolder(path, context, () => stageFile(path, value, context));
}

/** Takes the lock of a file that may be about to be made. */
export async function lockFile(
  path: Buffer,
  context: Pick<WriteContext, "folders" | "locking" | "signal">,
): Promise<HeldLock> {
  return await inFolder(path, context, () => context.locking.acquire(lockPath(path), context.signal));
}

/** Does what needs the folder of `path`, which it makes. */
async function inFolder<T>(
  path: Buffer,
  { folders }: Pick<WriteContext, "folders">,
  action: () => Promise<T>,
): Promise<T> {
  const folder = parentPath(path);
  for (let attempt = 1; ; attempt++) {
    try {
      await folders.ensure(folder);
      return await action();
    } catch (error) {
      // The folder was removed as empty, or a sweep took the temporary before it was locked: nothing happened yet.
      if (systemCode(error) !== "ENOENT" || attempt === maxAttempts) throw error;
      folders.forget(folder);
    }
  }
}

/** Removes the file at `path` under its lock, if the condition holds. The folder is not synced. */
export async function removeFile(path: Buffer, context: Omit<WriteContext, "folders" | "fsync">): Promise<WriteResult> {
  const before = statValue(path);
  const found = before === undefined ? null : generationOf(before);
  if (context.ifGeneration !== undefined && context.ifGeneration !== found)
    return { written: false, generation: found };
  if (before === undefined) {
    context.held?.release();
    return { written: true, generation: null };
  }
  const lock =
    context.held ??
    (await context.locking.acquire(lockPath(path), context.signal).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }));
  if (lock === undefined) {
    // The whole folder went meanwhile.
    const written = context.ifGeneration === undefined || context.ifGeneration === null;
    return { written, generation: null };
  }
  let isDone = false;
  try {
    const current = statValue(path);
    const generation = current === undefined ? null : generationOf(current);
    if (context.ifGeneration !== undefined && context.ifGeneration !== generation)
      return { written: false, generation };
    if (current !== undefined) {
      await waitUntilPast(current);
      checkHeld(lock, path);
      await unlink(path);
      forgetFile(path);
    }
    isDone = true;
    return { written: true, generation: null };
  } finally {
    if (lock !== context.held || isDone) lock.release();
  }
}

/** Syncs the folder after a change in it. When that fails, the change is visible but perhaps not durable: `ambiguous`. */
export async function confirmFolder(folder: Buffer): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (cause) {
    // Gone with everything in it, by a later deletion.
    if (isAbsence(systemCode(cause))) return;
    throw new KvStoreError("ambiguous", `${folder.toString()} changed, but syncing it failed: may not be durable`, {
      cause,
    });
  }
}

/**
 * Makes a file that nobody else makes, without a lock: bytes and name are handed to the disk together, since nobody looks for the
 * name before both are there.
 */
async function createUnique(path: Buffer, value: Uint8Array, context: WriteContext): Promise<WriteResult> {
  const temporary = await makeTemporary(path, value, context);
  let isRenamed = false;
  try {
    const found = statValue(path);
    if (found !== undefined) return { written: false, generation: generationOf(found) };
    context.signal?.throwIfAborted();
    renameSync(temporary.path, path);
    isRenamed = true;
    if (context.fsync) {
      const syncs = await Promise.allSettled([syncFile(temporary.file), confirmFolder(parentPath(path))]);
      const failed = syncs.find(({ status }) => status === "rejected");
      if (failed !== undefined) {
        unlinkIfThere(path);
        throw (failed as PromiseRejectedResult).reason;
      }
    }
    return { written: true, generation: generationOf(fstatSync(temporary.file, { bigint: true })) };
  } finally {
    await endTemporary(temporary, isRenamed);
  }
}

async function replaceOnce(path: Buffer, value: Uint8Array, context: WriteContext): Promise<WriteResult> {
  const { ifGeneration, signal } = context;
  if (ifGeneration !== undefined) {
    const stats = statValue(path);
    const found = stats === undefined ? null : generationOf(stats);
    if (found !== ifGeneration) return { written: false, generation: found };
  }
  const staged = context.staged?.take();
  const temporary = staged ?? (await makeTemporary(path, value, context));
  let isDone = false;
  try {
    if (context.fsync && staged === undefined) await syncFile(temporary.file);
    const lock = context.held ?? (await context.locking.acquire(lockPath(path), signal));
    let current: BigIntStats | undefined;
    try {
      current = statValue(path);
      const found = current === undefined ? null : generationOf(current);
      if (ifGeneration !== undefined && ifGeneration !== found) return { written: false, generation: found };
      const stats =
        current === undefined ? fstatSync(temporary.file, { bigint: true }) : makeLater(temporary.file, current);
      signal?.throwIfAborted();
      checkHeld(lock, path);
      if (isQuick(value, current, context.fsync)) renameSync(temporary.path, path);
      else await renameFile(temporary.path, path);
      isDone = true;
      forgetFile(path);
      return { written: true, generation: generationOf(stats) };
    } finally {
      if (lock !== context.held || isDone) lock.release(current !== undefined);
    }
  } finally {
    await endTemporary(temporary, isDone);
  }
}

/** Whether a rename has no bytes to hand to the disk (ext4 does when one unsynced file replaces another), and few to free. */
function isQuick(value: Uint8Array, current: BigIntStats | undefined, isSynced: boolean): boolean {
  return current === undefined || (isSynced && value.length + Number(current.size) <= smallBytes);
}

/** Right before a change: a lock may be lost, see {@link HeldLock.isHeld}. */
function checkHeld(lock: HeldLock, path: Buffer): void {
  if (lock.isHeld()) return;
  const reason = "its lock was taken for abandoned, as this process stood still for long";
  throw new KvStoreError("transient", `${path.toString()} was not changed: ${reason}; try again`);
}
