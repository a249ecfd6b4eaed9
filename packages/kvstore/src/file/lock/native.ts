/**
 * Locks that the kernel keeps: open-file-description locks (`F_OFD_SETLK`; `LockFileEx` on Windows).
 * @module
 */
import { fstatSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { KvStoreError } from "../../errors.ts";
import { systemCode } from "../errors.ts";

interface NativeLocks {
  tryLock(descriptor: number): boolean;
  /** Blocks a thread of Node's pool; cannot be called off. */
  waitForLock(descriptor: number): Promise<void>;
  unlock(descriptor: number): void;
}

let native: NativeLocks | undefined;
try {
  native = createRequire(import.meta.url)("fs-native-extensions") as NativeLocks;
} catch {
  // No binary for this platform (musl, exotic CPUs): the store then promises conditional writes with lock files only.
  native = undefined;
}

/** Whether this platform has locks between processes. */
export const hasNativeLocks: boolean = native !== undefined;

/** Takes the lock on an open file unless another open file has it. Without native locks: always. */
export function tryLock(file: number): boolean {
  try {
    return native === undefined || native.tryLock(file);
  } catch (cause) {
    const reason = `this file system has no file locks (${systemCode(cause) ?? cause}), which the store needs to write`;
    throw new KvStoreError("unsupported", `${reason}; keep the data on a local disk, or use locking: "lockfile"`, {
      cause,
    });
  }
}

/** At most one thread of the pool blocks, since the holder may need another; the environment can leave it with one. */
let canBlock: boolean = native !== undefined && Number(process.env.UV_THREADPOOL_SIZE ?? 4) > 1;

/**
 * Has the kernel wake this process when it is its turn to have the lock (which is to be tried then); `undefined` when that is not
 * possible now. Whoever stops waiting must leave the file open until the promise is settled.
 */
export function waitForLock(file: number): Promise<void> | undefined {
  if (!canBlock) return undefined;
  canBlock = false;
  const granted = native!.waitForLock(file).finally(() => {
    canBlock = true;
  });
  return granted.catch((error: unknown) => {
    if (systemCode(error) !== "EINTR") throw error;
  });
}

/** Drops the lock of an open file. */
export function unlock(file: number): void {
  native?.unlock(file);
}

/** Whether the name still leads to the open file: a previous holder removes or replaces it. */
export function isStillAt(file: number, path: Buffer): boolean {
  const own = fstatSync(file, { bigint: true });
  const named = statSync(path, { bigint: true, throwIfNoEntry: false });
  return named !== undefined && named.ino === own.ino && named.dev === own.dev;
}
