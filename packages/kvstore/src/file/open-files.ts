/**
 * Files that were read lately, kept open: reading one again costs a look at its name and one trip to the thread pool.
 *
 * The name is looked at before every read, so that what is read is what the name led to then: a file that was replaced has another
 * inode, which cannot be given out again while the old one is open; one that was changed in place has another time. Looking
 * never waits for the disk, since an open file keeps its name in the kernel's memory. A deleted file keeps its space until it is
 * closed, so files that nobody reads any more are closed within seconds.
 *
 * A process may have few files open (1024 often), so whoever asks for more than a share of them at once waits until one is closed.
 * @module
 */
import { type BigIntStats, closeSync, constants, fstatSync } from "node:fs";
import { KvStoreError } from "../errors.ts";
import { closeSpareFiles, closeWhenScarce, isScarcity } from "./descriptors.ts";
import { openForReading } from "./disk.ts";
import { systemCode } from "./errors.ts";
import { generationOf, isAbsence, statValue } from "./version.ts";

/** Of all stores together. Windows cannot replace or remove files that are open, so there none stays open. */
const maxIdleFiles = process.platform === "win32" ? 0 : 128;
/** In use or idle, of all stores together. */
const maxOpenFiles = 256;
const idleMs = 1000;

/** A file that is open for reading. */
export interface OpenFile {
  readonly descriptor: number;
  readonly stats: BigIntStats;
  readonly generation: string;
}

class Entry implements OpenFile {
  readonly descriptor: number;
  readonly stats: BigIntStats;
  readonly generation: string;
  users = 1;
  isKept = false;
  wasUsed = true;

  constructor(descriptor: number, stats: BigIntStats) {
    this.descriptor = descriptor;
    this.stats = stats;
    this.generation = generationOf(stats);
  }

  isStillAt(path: Buffer): boolean {
    const named = statValue(path);
    const { ino, dev, mtimeNs, size } = this.stats;
    return (
      named !== undefined && named.ino === ino && named.mtimeNs === mtimeNs && named.size === size && named.dev === dev
    );
  }
}

/** By path, the least recently used first. */
const kept = new Map<string, Entry>();
const opening = new Map<string, Promise<unknown>>();
let timer: NodeJS.Timeout | undefined;
/** Files that are open or being opened. */
let openFiles = 0;
/** Each is called when a file may be opened in the place of another. Whoever is called and opens none calls the next. */
const waiting: (() => void)[] = [];

closeWhenScarce(() => closeUnused(maxIdleFiles));

/**
 * Opens the file at a path, or finds it open; `undefined` when no file is there. Whoever asked gives it back with
 * {@link releaseFile}.
 */
export async function acquireFile(path: Buffer): Promise<OpenFile | undefined> {
  const name = path.toString("latin1");
  for (let isSecondLook = false; ; isSecondLook = true) {
    const entry = kept.get(name);
    if (entry?.isStillAt(path)) {
      entry.users++;
      entry.wasUsed = true;
      // To the end of the order.
      kept.delete(name);
      kept.set(name, entry);
      return entry;
    }
    if (entry !== undefined) drop(name, entry);
    const other = opening.get(name);
    if (other === undefined || isSecondLook) return await open(path, name);
    await other;
  }
}

export function releaseFile(file: OpenFile): void {
  const entry = file as Entry;
  entry.users--;
  if (entry.users > 0) return;
  if (!entry.isKept) closeOpen(entry.descriptor);
  else if (waiting.length > 0) closeUnused(1);
}

/** Closes the file at a path as soon as its readers have it, because it was replaced or removed. */
export function forgetFile(path: Buffer): void {
  const name = path.toString("latin1");
  const entry = kept.get(name);
  if (entry !== undefined) drop(name, entry);
}

async function open(path: Buffer, name: string): Promise<OpenFile | undefined> {
  const opened = openFresh(path);
  const settled = opened.catch(() => undefined);
  opening.set(name, settled);
  try {
    const entry = await opened;
    if (entry !== undefined) keep(name, entry);
    return entry;
  } finally {
    if (opening.get(name) === settled) opening.delete(name);
  }
}

async function openFresh(path: Buffer): Promise<Entry | undefined> {
  let descriptor: number;
  for (;;) {
    while (openFiles >= maxOpenFiles && !closeUnused(1)) await nextClosed();
    openFiles++;
    try {
      // Not blocking: opening a named pipe would otherwise wait for its writer.
      descriptor = await openForReading(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      break;
    } catch (error) {
      openFiles--;
      if (isScarcity(error)) {
        if (closeSpareFiles()) continue;
        if (openFiles > 0) {
          await nextClosed();
          continue;
        }
      }
      waiting.shift()?.();
      if (isAbsence(systemCode(error))) return undefined;
      throw error;
    }
  }
  let entry: Entry | undefined;
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (stats.isDirectory()) return undefined;
    if (!stats.isFile()) throw new KvStoreError("unsupported", `${path.toString()} is a device, pipe or socket`);
    entry = new Entry(descriptor, stats);
    return entry;
  } finally {
    if (entry === undefined) closeOpen(descriptor);
  }
}

function nextClosed(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}

function keep(name: string, entry: Entry): void {
  const before = kept.get(name);
  if (before !== undefined) drop(name, before);
  entry.isKept = true;
  kept.set(name, entry);
  for (const [oldest, candidate] of kept) {
    if (kept.size <= maxIdleFiles) break;
    drop(oldest, candidate);
  }
  if (timer === undefined && kept.size > 0) timer = setInterval(closeIdle, idleMs).unref();
}

function drop(name: string, entry: Entry): void {
  kept.delete(name);
  entry.isKept = false;
  if (entry.users === 0) closeOpen(entry.descriptor);
}

function closeOpen(descriptor: number): void {
  openFiles--;
  closeSync(descriptor);
  waiting.shift()?.();
}

/** Closes files that nobody reads at the moment. @returns whether there were any. */
function closeUnused(count: number): boolean {
  let left = count;
  for (const [name, entry] of kept) {
    if (left === 0) break;
    if (entry.users > 0) continue;
    drop(name, entry);
    left--;
  }
  return left < count;
}

function closeIdle(): void {
  for (const [name, entry] of kept) {
    if (!entry.wasUsed && entry.users === 0) drop(name, entry);
    entry.wasUsed = false;
  }
  if (kept.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
