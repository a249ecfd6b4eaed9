/**
 * Writes of one process, in the order they were asked for, grouped into LMDB transactions: while one group is being
 * synced to disk the next gathers. A write resolves when its group is on disk.
 * @module
 */
import { isRowStoreError, RowStoreError } from "../errors.ts";
import type { CellDatabase } from "./cell-reader.ts";

/** One atomic write. */
export interface Write<T> {
  /** Cells and bytes written, roughly; groups are bounded by their sums. */
  readonly cells: number;
  readonly bytes: number;
  /** Whether `run` only puts and reads nothing, so that it need not run inside the transaction. */
  readonly blind: boolean;
  /** Runs in the write transaction. Throws `NOT_A_COUNTER` or `COUNTER_OVERFLOW` only before it has written anything. */
  run(): T;
}

interface Pending extends Write<unknown> {
  resolve(result: never): void;
  reject(error: unknown): void;
}

/** Bounds of a group. One that reads runs on the main thread, which must not be held up for long. */
const MAX_CELLS = { blind: 4096, reading: 1024 };
const MAX_BYTES = 16 * 2 ** 20;

/**
 * Room a commit may need on the disk: LMDB writes every page it changes anew, a few for each cell at worst. The native
 * library must not run into a full disk itself: composing its error message overruns a buffer and can take the process
 * down later on.
 */
const RESERVE_BYTES = 16 * 2 ** 20;
const BYTES_PER_CELL = 16 * 2 ** 10;

export class CommitQueue {
  private readonly database: CellDatabase;
  private readonly freeBytes: () => number;
  private waiting: Pending[] = [];
  private draining: Promise<void> | undefined;

  /** `freeBytes` tells how much the disk has left. */
  constructor(database: CellDatabase, freeBytes: () => number) {
    this.database = database;
    this.freeBytes = freeBytes;
  }

  submit<T>(write: Write<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({
        cells: write.cells,
        bytes: write.bytes,
        blind: write.blind,
        run: () => write.run(),
        resolve,
        reject,
      });
      this.draining ??= this.drain();
    });
  }

  /** Resolves when everything submitted has been committed or has failed. */
  async settled(): Promise<void> {
    await this.draining;
  }

  private async drain(): Promise<void> {
    // What is asked for in the same turn belongs to the first group.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.takeGroup();
      const full = this.findNoRoom(group);
      if (full !== undefined) await rejectAll(group, full);
      else await (group[0]!.blind ? this.commitBlind(group) : this.commitReading(group));
    }
    this.draining = undefined;
  }

  private takeGroup(): Pending[] {
    const blind = this.waiting[0]!.blind;
    const maxCells = blind ? MAX_CELLS.blind : MAX_CELLS.reading;
    let cells = 0;
    let bytes = 0;
    let count = 0;
    for (const write of this.waiting) {
      cells += write.cells;
      bytes += write.bytes;
      // A blind write may run inside the transaction as well, but not the other way round.
      if (count > 0 && (cells > maxCells || bytes > MAX_BYTES || (blind && !write.blind))) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private findNoRoom(group: readonly Pending[]): RowStoreError | undefined {
    let needed = RESERVE_BYTES;
    for (const { cells, bytes } of group) needed += bytes + cells * BYTES_PER_CELL;
    const free = this.freeBytes();
    if (free >= needed) return undefined;
    return new RowStoreError(
      "WRITE_FAILED",
      `the disk has ${free} bytes left and this write may need ${needed}; nothing of it was written: make room, then try again`,
      { free, limit: needed },
    );
  }

  /** LMDB's own thread carries out the puts, all in one transaction. */
  private async commitBlind(group: readonly Pending[]): Promise<void> {
    try {
      const results: unknown[] = [];
      await this.database.batch(() => {
        for (const write of group) results.push(write.run());
      });
      group.forEach((write, i) => {
        write.resolve(results[i] as never);
      });
    } catch (error) {
      await rejectAll(group, error);
    }
  }

  private async commitReading(group: readonly Pending[]): Promise<void> {
    const outcomes: (() => void)[] = [];
    let thrown: unknown;
    try {
      await this.database.childTransaction(() => {
        for (const write of group) {
          try {
            const result = write.run() as never;
            outcomes.push(() => write.resolve(result));
          } catch (error) {
            if (!isRowStoreError(error, "NOT_A_COUNTER", "COUNTER_OVERFLOW")) {
              thrown = error;
              throw error;
            }
            outcomes.push(() => write.reject(error));
          }
        }
      });
    } catch (error) {
      // The transaction was rolled back. If one write of several is to blame, the others must not suffer.
      if (thrown === undefined || group.length === 1) return rejectAll(group, error);
      for (const write of group) await this.commitReading([write]);
      return;
    }
    for (const settle of outcomes) settle();
  }
}

/** Waits for all of them, then throws the first error, so that nothing is still under way when a caller sees one. */
export async function allSettled(writes: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

async function rejectAll(group: readonly Pending[], error: unknown): Promise<void> {
  // LMDB's "Commit failed" carries the reason as a promise that rejects.
  const reason = (error as { commitError?: Promise<unknown> }).commitError;
  const cause = reason === undefined ? error : await reason.catch((why: unknown) => why);
  const failure = isRowStoreError(error)
    ? error
    : new RowStoreError(
        "WRITE_FAILED",
        `the database could not commit (${cause instanceof Error ? cause.message : String(cause)}); nothing of it was written: check the disk's free space and health, then try again`,
        {},
        cause,
      );
  for (const write of group) write.reject(failure);
}
