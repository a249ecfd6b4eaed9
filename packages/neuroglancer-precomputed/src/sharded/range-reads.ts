/**
 * Range reads of one file, gathered: what is asked for in one turn and lies close together is read at once.
 * @module
 */
import type { Generation, KvStore } from "@pcg/kvstore";
import { SharedWork } from "./shared-work.ts";

/** Bytes worth reading for nothing to save a request. */
const MAX_GAP = 32 * 2 ** 10;
/** Most bytes in one read of several parts. */
const MAX_READ = 8 * 2 ** 20;

/** A part of a file; `undefined` when the file is gone. Fewer bytes than asked for when the file is shorter. */
export interface FilePart {
  readonly bytes: Uint8Array;
  readonly generation: Generation;
}

interface Request {
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (part: Promise<FilePart | undefined>) => void;
}

export class RangeReads {
  private readonly store: KvStore;
  private readonly pending = new Map<string, Request[]>();

  constructor(store: KvStore) {
    this.store = store;
  }

  /** Bytes `start` to `end` of `key`. */
  read(key: string, start: number, end: number, signal: AbortSignal | undefined): Promise<FilePart | undefined> {
    return new Promise((resolve) => {
      const request = { start, end, signal, resolve };
      const waiting = this.pending.get(key);
      if (waiting !== undefined) {
        waiting.push(request);
        return;
      }
      this.pending.set(key, [request]);
      // Callers that resume from one awaited index arrive within a few turns of the microtask queue.
      let turns = 4;
      const next = (): void => {
        if (turns-- > 0) queueMicrotask(next);
        else this.flush(key);
      };
      next();
    });
  }

  private flush(key: string): void {
    const requests = this.pending.get(key) ?? [];
    this.pending.delete(key);
    requests.sort((a, b) => a.start - b.start);
    for (let first = 0; first < requests.length; ) {
      const start = requests[first]!.start;
      let end = requests[first]!.end;
      let last = first + 1;
      for (; last < requests.length; last++) {
        const next = requests[last]!;
        const joined = Math.max(end, next.end);
        // Overlapping parts always share a read: they are the same chunk asked for twice.
        if (next.start >= end && (next.start - end > MAX_GAP || joined - start > MAX_READ)) break;
        end = joined;
      }
      this.readTogether(key, start, end, requests.slice(first, last));
      first = last;
    }
  }

  private readTogether(key: string, start: number, end: number, requests: readonly Request[]): void {
    const live = requests.filter((request) => request.signal?.aborted !== true);
    for (const request of requests)
      if (!live.includes(request)) request.resolve(Promise.reject(request.signal?.reason));
    if (live.length === 0) return;
    const work = new SharedWork((signal) =>
      this.store.read(key, { range: { offset: start, length: end - start }, signal }),
    );
    const part = async (request: Request): Promise<FilePart | undefined> => {
      const result = await work.wait(request.signal);
      if (result === undefined) return undefined;
      const { value, generation } = result;
      if (live.length === 1) return { bytes: value, generation };
      // A copy, so that one chunk that is kept does not keep its neighbours.
      return { bytes: value.slice(request.start - start, request.end - start), generation };
    };
    for (const request of live) request.resolve(part(request));
  }
}
