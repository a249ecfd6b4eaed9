/**
 * Generations of files: inode, modification time in nanoseconds, size.
 *
 * The time alone could repeat, since the kernel's clock ticks every few milliseconds and a freed inode is given out again
 * at once. So writers keep one rule under the lock of the key: the time of a new value is later than that of the value it
 * replaces, and a deletion waits until the clock has passed the time of the value it removes. Two versions of one key
 * therefore differ in time. Only a program that sets modification times back can defeat this.
 * @module
 */
import { type BigIntStats, fstatSync, futimesSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Generation } from "../contract.ts";
import { systemCode } from "./errors.ts";

/** The coarsest tick of a kernel clock in use (100 Hz), with a margin. */
const clockTickMs = 12;

/** Generation of a file. */
export function generationOf(stats: BigIntStats): Generation {
  return `${stats.ino.toString(36)}-${stats.mtimeNs.toString(36)}-${stats.size.toString(36)}`;
}

/** What is at a path, or `undefined` when nothing is; a folder counts as nothing. */
export function statValue(path: Buffer): BigIntStats | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(systemCode(error))) return undefined;
    throw error;
  }
  return stats === undefined || stats.isDirectory() ? undefined : stats;
}

/** Whether a system error means that no value is there; a link that leads in a circle leads to none. */
export function isAbsence(code: string | undefined): boolean {
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}

/** Sets the file's modification time later than `previous` unless it is. @returns the file's state after that. */
export function makeLater(file: number, previous: BigIntStats): BigIntStats {
  let stats = fstatSync(file, { bigint: true });
  // Times pass through a double of seconds (a quarter microsecond today), so ask for a little more until it took.
  for (let aheadNs = 1000n; stats.mtimeNs <= previous.mtimeNs; aheadNs *= 2n) {
    const seconds = Number(previous.mtimeNs + aheadNs) / 1e9;
    futimesSync(file, Number(stats.atimeMs) / 1000, seconds);
    stats = fstatSync(file, { bigint: true });
  }
  return stats;
}

/** Waits until a file made from now on has a later time than this one (if it is not from the future). */
export async function waitUntilPast(stats: BigIntStats): Promise<void> {
  const age = Date.now() - Number(stats.mtimeNs / 1_000_000n);
  if (age < clockTickMs && age > -clockTickMs) await sleep(clockTickMs - age);
}
