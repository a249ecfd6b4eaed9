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
import { closeSync, constants, fstatSync, futimes, linkSync, renameSync } from "node:fs";
import { pause } from "../../pause.ts";
import { systemCode } from "../errors.ts";
import { temporaryPath } from "../paths.ts";
import { unlinkIfThere } from "../unlink.ts";
import { openLockFile } from "./lock-file.ts";
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
      const file = create(path);
      if (file !== undefined) {
        if (isOwn(file, path)) return heldLock(file, path);
      } else if (removeStale(path, staleMs)) continue;
      await pause(waitMs * (0.5 + Math.random()), signal);
    }
  },

  protect(unfinished) {
    tryLockIfPossible(unfinished);
  },

  removeIfAbandoned: (path, minAgeMs) => removeStale(path, minAgeMs),
};

function create(path: Buffer): number | undefined {
  try {
    return openLockFile(path, constants.O_CREAT | constants.O_EXCL);
  } catch (error) {
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  }
}

/** Whether the new file is ours alone: a store in mode `os` may have locked it already. Closes it if not. */
function isOwn(file: number, path: Buffer): boolean {
  let isOurs = false;
  try {
    isOurs = tryLockIfPossible(file) && isStillAt(file, path);
  } finally {
    if (!isOurs) closeSync(file);
  }
  return isOurs;
}

function heldLock(file: number, path: Buffer): HeldLock {
  const touch = setInterval(() => {
    const now = new Date();
    // A lock that cannot be touched grows stale, which the holder notices by `isHeld`.
    futimes(file, now, now, () => undefined);
  }, touchEveryMs);
  touch.unref();
  return {
    isHeld: () => isStillAt(file, path),
    release() {
      clearInterval(touch);
      try {
        if (isStillAt(file, path)) unlinkIfThere(path);
      } finally {
        closeSync(file);
      }
    },
  };
}

function removeStale(path: Buffer, minAgeMs: number): boolean {
  let file: number;
  try {
    file = openLockFile(path);
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
  try {
    const { mtimeMs } = fstatSync(file);
    if (Date.now() - mtimeMs < minAgeMs || !tryLockIfPossible(file)) return false;
    return take(file, path);
  } finally {
    closeSync(file);
  }
}

/** Removes the name of an open file if it still leads there; only one of several processes does. */
function take(file: number, path: Buffer): boolean {
  if (!isStillAt(file, path)) return false;
  const aside = temporaryPath(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
  const isTaken = isStillAt(file, aside);
  if (!isTaken) {
    // Another process removed the stale lock first, and this is its successor.
    try {
      linkSync(aside, path);
    } catch (error) {
      // A sweep may have taken it, which its owner notices.
      if (!["EEXIST", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
    }
  }
  unlinkIfThere(aside);
  return isTaken;
}

/** Also where the file system has no kernel locks, which is what these locks are for. */
function tryLockIfPossible(file: number): boolean {
  if (!hasNativeLocks) return true;
  try {
    return tryLock(file);
  } catch {
    return true;
  }
}
