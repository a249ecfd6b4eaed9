/**
 * Locks of the operating system on a lock file beside the guarded one, the protocol of TensorStore's file driver in its mode `os`.
 *
 * The kernel holds the lock and drops it when the holder closes the file or dies in any way, so that a lock never outlives its
 * holder and there is no staleness to guess from process ids or ages. A lock file left by a killed process is merely an unlocked
 * file: the next holder takes, empties and removes it. (Emptied, because old versions of TensorStore write values into it without
 * truncating.) One waiter of each process stands in the kernel's queue, others poll: blocking calls fill Node's thread pool, which the
 * holder may need. Waiting ends with the caller's signal.
 * @module
 */
import { closeSync, constants, fstatSync, ftruncateSync } from "node:fs";
import { unlessAborted } from "../../on-abort.ts";
import { pause } from "../../pause.ts";
import { systemCode } from "../errors.ts";
import { unlinkIfThere } from "../unlink.ts";
import { keepLockFile, takeKeptLockFile } from "./kept-lock-files.ts";
import { openLockFile } from "./lock-file.ts";
import type { HeldLock, Locking } from "./locking.ts";
import { hasNativeLocks, isStillAt, tryLock, waitForLock } from "./native.ts";

const longestPauseMs = 4;

export const osLocking: Locking = {
  isExclusive: hasNativeLocks,
  // Owners lock theirs right after making it, and notice when it was taken away before that.
  abandonedAfterMs: 0,

  async acquire(path, signal) {
    for (;;) {
      signal?.throwIfAborted();
      const file = takeKeptLockFile(path) ?? openLockFile(path, constants.O_CREAT);
      await lock(file, signal);
      let held = false;
      try {
        // Whoever had it before removed the file, or gave it the name of the value.
        if (!isStillAt(file, path)) continue;
        if (fstatSync(file).size > 0) ftruncateSync(file);
        held = true;
      } finally {
        if (!held) closeSync(file);
      }
      return heldLock(file, path);
    }
  },

  protect(unfinished) {
    tryLock(unfinished);
  },

  removeIfAbandoned(path, minAgeMs) {
    if (!hasNativeLocks) return false;
    let file: number;
    try {
      file = openLockFile(path);
    } catch (error) {
      // Gone already, or another user's: theirs to remove.
      if (["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) return false;
      throw error;
    }
    try {
      if (minAgeMs > 0 && Date.now() - fstatSync(file).mtimeMs < minAgeMs) return false;
      if (!tryLock(file) || !isStillAt(file, path)) return false;
      // Another sweep may have been faster.
      return unlinkIfThere(path);
    } finally {
      closeSync(file);
    }
  },
};

/** Locks an open file, which is closed when that fails. */
async function lock(file: number, signal: AbortSignal | undefined): Promise<void> {
  let granted: Promise<void> | undefined;
  try {
    for (let waitMs = 0.25; !tryLock(file); waitMs = Math.min(waitMs * 2, longestPauseMs)) {
      granted = waitForLock(file);
      if (granted === undefined) await pause(waitMs * (0.5 + Math.random()), signal);
      else await unlessAborted(granted, signal);
      granted = undefined;
    }
  } catch (error) {
    // The kernel may still be about to grant it.
    const close = (): void => closeSync(file);
    if (granted === undefined) close();
    else granted.then(close, close);
    throw error;
  }
}

function heldLock(file: number, path: Buffer): HeldLock {
  return {
    isHeld: () => true,
    release(isRepeated = false) {
      if (isRepeated && keepLockFile(file, path)) return;
      try {
        // Unless somebody removed it by hand.
        unlinkIfThere(path);
      } finally {
        closeSync(file);
      }
    },
  };
}
