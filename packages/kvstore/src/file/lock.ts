/**
 * Locks between processes: an open-file-description lock (`F_OFD_SETLK`; `LockFileEx` on Windows) on a lock file beside the
 * guarded one, the protocol of TensorStore's file driver.
 *
 * The kernel holds the lock and drops it when the holder closes the file or dies in any way, so that a lock never outlives
 * its holder and there is no staleness to guess from process ids or ages. A lock file left by a killed process is merely an
 * unlocked file: the next holder takes and removes it. Waiting is by polling, because blocking calls would fill Node's
 * thread pool, which the holder may need; it ends with the caller's signal, and is not fair.
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, open, stat, unlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { KvStoreError } from "../errors.ts";
import { pause } from "../pause.ts";
import { systemCode } from "./errors.ts";

interface NativeLocks {
  tryLock(descriptor: number): boolean;
}

let native: NativeLocks | undefined;
try {
  native = createRequire(import.meta.url)("fs-native-extensions") as NativeLocks;
} catch {
  // No binary for this platform (musl, exotic CPUs): the store then promises no conditional writes.
  native = undefined;
}

/** Whether this platform has locks between processes. */
export const hasNativeLocks: boolean = native !== undefined;

/** Takes the lock on an open file unless another open file has it. Without native locks: always. */
export function tryLock(file: FileHandle): boolean {
  try {
    return native === undefined || native.tryLock(file.fd);
  } catch (cause) {
    const reason = `this file system has no file locks (${systemCode(cause) ?? cause}), which the store needs to write`;
    throw new KvStoreError("unsupported", `${reason}; keep the data on a local disk`, { cause });
  }
}

const longestPauseMs = 25;

/** A lock that is held. */
export interface HeldLock {
  /** Removes the lock file and drops the lock. */
  release(): Promise<void>;
}

/**
 * Waits for the lock whose file is `path`. Rejects with `ENOENT` when the folder is missing; while the lock is held its file
 * keeps the folder from being removed.
 */
export async function acquireLock(path: Buffer, signal: AbortSignal | undefined): Promise<HeldLock> {
  for (let waitMs = 0.5; ; waitMs = Math.min(waitMs * 2, longestPauseMs)) {
    signal?.throwIfAborted();
    const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
    let held = false;
    try {
      held = tryLock(file) && (await isStillAt(file, path));
    } finally {
      if (!held) await file.close();
    }
    if (held) {
      return {
        async release() {
          try {
            await unlink(path);
          } catch (error) {
            // Somebody removed it by hand.
            if (systemCode(error) !== "ENOENT") throw error;
          } finally {
            await file.close();
          }
        },
      };
    }
    await pause(waitMs * (0.5 + Math.random()), signal);
  }
}

/**
 * Removes a reserved file whose owner is dead: one that nobody has locked. Owners lock theirs right after making it, and
 * notice when it was taken away before that.
 */
export async function removeIfAbandoned(path: Buffer): Promise<void> {
  if (native === undefined) return;
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDWR);
  } catch (error) {
    // Gone already, or another user's: theirs to remove.
    if (["ENOENT", "EACCES", "EPERM"].includes(systemCode(error) ?? "")) return;
    throw error;
  }
  try {
    if (tryLock(file) && (await isStillAt(file, path))) await unlink(path);
  } finally {
    await file.close();
  }
}

/** Whether the name still leads to the open file: a previous holder removes or replaces it. */
async function isStillAt(file: FileHandle, path: Buffer): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  try {
    const named = await stat(path, { bigint: true });
    return named.ino === own.ino && named.dev === own.dev;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
