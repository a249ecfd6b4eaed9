/**
 * Locks that the kernel keeps: open-file-description locks (`F_OFD_SETLK`; `LockFileEx` on Windows).
 * @module
 */
import { type FileHandle, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { KvStoreError } from "../../errors.ts";
import { systemCode } from "../errors.ts";

interface NativeLocks {
  tryLock(descriptor: number): boolean;
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
export function tryLock(file: FileHandle): boolean {
  try {
    return native === undefined || native.tryLock(file.fd);
  } catch (cause) {
    const reason = `this file system has no file locks (${systemCode(cause) ?? cause}), which the store needs to write`;
    throw new KvStoreError("unsupported", `${reason}; keep the data on a local disk, or use locking: "lockfile"`, {
      cause,
    });
  }
}

/** Whether the name still leads to the open file: a previous holder removes or replaces it. */
export async function isStillAt(file: FileHandle, path: Buffer): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  try {
    const named = await stat(path, { bigint: true });
    return named.ino === own.ino && named.dev === own.dev;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
