/**
 * Locks that are files: whoever creates the lock file holds the lock, and removes it. The protocol of TensorStore's file driver in
 * its mode `lockfile`, for platforms and file systems without kernel locks.
 *
 * A holder that dies leaves its file behind. Holders touch theirs, so one that was not touched for {@link staleMs} is taken for
 * abandoned: whoever waits renames it away, which only one can do, and looks whether it is the file that was stale; if another
 * holder came in between, it is put back. A holder that was only standing still notices before it changes anything. Where there
 * are kernel locks, holders take one in addition: then nobody who lives is taken for dead, and stores in mode `os` are kept out
 * too.
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, link, open, rename, unlink } from "node:fs/promises";
import { pause } from "../../pause.ts";
import { systemCode } from "../errors.ts";
import { temporaryPath } from "../paths.ts";
import type { HeldLock, Locking } from "./locking.ts";
import { hasNativeLocks, isStillAt, tryLock } from "./native.ts";

/** Age from which an untouched lock is taken for abandoned: the time after which TensorStore gives up waiting. */
const staleMs = 60_000;
const touchEveryMs = 15_000;
const longestPauseMs = 50;

export const lockfileLocking: Locking = {
  isExclusive: true,
  // Unfinished values are not touched while they are synced, which may take long on the file systems this is for.
  abandonedAfterMs: 60 * staleMs,

  async acquire(path, signal) {
    for (let waitMs = 0.5; ; waitMs = Math.min(waitMs * 2, longestPauseMs)) {
      signal?.throwIfAborted();
      const file = await create(path);
      if (file !== undefined) {
        if (await isOwn(file, path)) return heldLock(file, path);
      } else if (await removeStale(path, staleMs)) continue;
      await pause(waitMs * (0.5 + Math.random()), signal);
    }
  },

  protect(unfinished) {
    tryLockIfPossible(unfinished);
  },

  removeIfAbandoned: (path, minAgeMs) => removeStale(path, minAgeMs),
};

async function create(path: Buffer): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  }
}

/** Whether the new file is ours alone: a store in mode `os` may have locked it already. Closes it if not. */
async function isOwn(file: FileHandle, path: Buffer): Promise<boolean> {
  let isOurs = false;
  try {
    isOurs = tryLockIfPossible(file) && (await isStillAt(file, path));
  } finally {
    if (!isOurs) await file.close();
  }
  return isOurs;
}

function heldLock(file: FileHandle, path: Buffer): HeldLock {
  const touch = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched grows stale, which the holder notices by `isHeld`.
    file.utimes(now, now).catch(() => undefined);
  }, touchEveryMs);
  touch.unref();
  return {
    isHeld: () => isStillAt(file, path),
    async release() {
      clearInterval(touch);
      try {
        if (await isStillAt(file, path)) await unlink(path);
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
      } finally {
        await file.close();
      }
    },
  };
}

async function removeStale(path: Buffer, minAgeMs: number): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDWR);
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
  try {
    const { mtimeMs } = await file.stat();
    if (Date.now() - mtimeMs < minAgeMs || !tryLockIfPossible(file)) return false;
    return await take(file, path);
  } finally {
    await file.close();
  }
}

/** Removes the name of an open file if it still leads there; only one of several processes does. */
async function take(file: FileHandle, path: Buffer): Promise<boolean> {
  if (!(await isStillAt(file, path))) return false;
  const aside = temporaryPath(path);
  try {
    await rename(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
  const isTaken = await isStillAt(file, aside);
  if (!isTaken) {
    // Another process removed the stale lock first, and this is its successor.
    try {
      await link(aside, path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  }
  await unlink(aside);
  return isTaken;
}

/** Also where the file system has no kernel locks, which is what these locks are for. */
function tryLockIfPossible(file: FileHandle): boolean {
  if (!hasNativeLocks) return true;
  try {
    return tryLock(file);
  } catch {
    return true;
  }
}
