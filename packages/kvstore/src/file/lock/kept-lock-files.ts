/**
 * Lock files of values that are replaced many times a second stay, unlocked, until the value rests: making and removing a file takes
 * longer than all else that replacing a small one does, and those who wait for a lock keep their places in the kernel's queue
 * while its file stays. To everybody else a kept lock file is one that a killed process left.
 * @module
 */
import { closeSync } from "node:fs";
import { closeWhenScarce } from "../descriptors.ts";
import { unlinkIfThere } from "../unlink.ts";
import { isStillAt, tryLock, unlock } from "./native.ts";

/** How long a value rests before its lock file goes. */
const restMs = 100;
const maxPaths = 64;

interface Release {
  readonly path: Buffer;
  /** `performance.now()` ms. */
  readonly at: number;
  /** The lock file, open, if it is there. */
  file: number | undefined;
}

/** By path, the latest last. */
const releases = new Map<string, Release>();
let timer: NodeJS.Timeout | undefined;
let removesAtExit = false;

closeWhenScarce(() => {
  const open = [...releases].filter(([, { file }]) => file !== undefined);
  open.forEach(forget);
  return open.length > 0;
});

/** The kept lock file of a path, open; it may have been removed or renamed by others meanwhile. The caller closes or keeps it. */
export function takeKeptLockFile(path: Buffer): number | undefined {
  const release = releases.get(path.toString("latin1"));
  const file = release?.file;
  if (release !== undefined) release.file = undefined;
  return file;
}

/** Drops a lock but keeps its file, if it was held lately before. @returns whether it did; otherwise nothing has happened. */
export function keepLockFile(file: number, path: Buffer): boolean {
  // Windows does not remove open files.
  if (process.platform === "win32") return false;
  const name = path.toString("latin1");
  const now = performance.now();
  const before = releases.get(name);
  const isBusy = before !== undefined && now - before.at < restMs;
  if (isBusy) unlock(file);
  releases.delete(name);
  // Of another store on the same folder, while this one opened the file for itself.
  if (before?.file !== undefined) closeSync(before.file);
  releases.set(name, { path, at: now, file: isBusy ? file : undefined });
  if (releases.size > maxPaths) forget(releases.entries().next().value!);
  timer ??= setInterval(forgetRested, restMs).unref();
  if (isBusy && !removesAtExit) {
    removesAtExit = true;
    process.once("exit", () => [...releases].forEach(forget));
  }
  return isBusy;
}

function forgetRested(): void {
  const now = performance.now();
  for (const entry of releases) {
    if (now - entry[1].at >= restMs) forget(entry);
  }
  if (releases.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function forget([name, { path, file }]: [string, Release]): void {
  releases.delete(name);
  if (file === undefined) return;
  try {
    // Whoever has the lock now removes the file or keeps it.
    if (tryLock(file) && isStillAt(file, path)) unlinkIfThere(path);
  } finally {
    closeSync(file);
  }
}
