/**
 * Locks of the operating system on a lock file beside the guarded one, the protocol of TensorStore's file driver in its mode `os`.
 *
 * The kernel holds the lock and drops it when the holder closes the file or dies in any way, so that a lock never outlives its
 * holder and there is no staleness to guess from process ids or ages. A lock file left by a killed process is merely an unlocked
 * file: the next holder takes, empties and removes it. (Emptied, because old versions of TensorStore write values into it without
 * truncating.) Waiting is by polling, because blocking calls would fill Node's thread pool, which the holder may need; it ends
 * with the caller's signal, and is not fair.
 * @module
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, unlinkSync } from "node:fs";
import { pause } from "../../pause.ts";
import { systemCode } from "../errors.ts";
import type { HeldLock, Locking } from "./locking.ts";
import { hasNativeLocks, isStillAt, tryLock } from "./native.ts";

const longestPauseMs = 4;

export const osLocking: Locking = {
  isExclusive: hasNativeLocks,
  // Owners lock theirs right after making it, and notice when it was taken away before that.
  abandonedAfterMs: 0,

  async acquire(path, signal) {
    for (;;) {
      signal?.throwIfAborted();
      const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o666);
      let held = false;
      try {
        for (let waitMs = 0.25; !tryLock(file); waitMs = Math.min(waitMs * 2, longestPauseMs)) {
          await pause(waitMs * (0.5 + Math.random()), signal);
        }
        // Whoever had it before removed the file.
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
      file = openSync(path, constants.O_RDWR);
    } catch (error) {
      // Gone already, or another user's: theirs to remove.
      if (["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) return false;
      throw error;
    }
    try {
      if (minAgeMs > 0 && Date.now() - fstatSync(file).mtimeMs < minAgeMs) return false;
      if (!tryLock(file) || !isStillAt(file, path)) return false;
      unlinkSync(path);
      return true;
    } finally {
      closeSync(file);
    }
  },
};

function heldLock(file: number, path: Buffer): HeldLock {
  return {
    isHeld: () => true,
    release() {
      try {
        unlinkSync(path);
      } catch (error) {
        // Somebody removed it by hand.
        if (systemCode(error) !== "ENOENT") throw error;
      } finally {
        closeSync(file);
      }
    },
  };
}
