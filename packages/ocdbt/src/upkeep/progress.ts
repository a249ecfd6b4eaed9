/**
 * What long work tells while it goes on, and how it does several things at once.
 * @module
 */

/** How far a phase of some work is; `total` where it is known. */
export interface UpkeepProgress {
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
}

/** Options of all work on a whole database. */
export interface UpkeepOptions {
  /** Called now and then, from the work itself: it should be quick. */
  readonly onProgress?: (progress: UpkeepProgress) => void;
  readonly signal?: AbortSignal;
}

/** Requests under way at once. */
const CONCURRENCY = 16;

/**
 * Works off `queue`, last in first out, so that depth-first work keeps it short; `work` may add to it. The first failure stops
 * what has not begun, and is thrown when what has begun is over.
 */
export async function drain<T>(
  queue: T[],
  work: (item: T) => Promise<void>,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  while (failures.length === 0 && (queue.length > 0 || running.size > 0)) {
    if (signal?.aborted) break;
    while (queue.length > 0 && running.size < CONCURRENCY) {
      const task: Promise<void> = work(queue.pop()!)
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => running.delete(task));
      running.add(task);
    }
    await Promise.race(running);
  }
  await Promise.all(running);
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
