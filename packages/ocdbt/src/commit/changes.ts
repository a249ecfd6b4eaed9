/**
 * What a commit does to a tree, all conditions decided: ranges of keys that go, and keys that are put or go.
 * @module
 */
import { compareKeys, inRange, isEmptyRange, type KeyRange } from "@pcg/kvstore";
import { bytesToPath } from "../format/index.ts";
import type { IndirectReference } from "../format/types.ts";

/** One key. The same object in each attempt of a commit, which is how work done before is recognised. */
export interface Change {
  readonly key: Uint8Array;
  /** `null`: the key goes. */
  readonly value: Uint8Array | IndirectReference | null;
}

/** Ranges go first, then the points are made. */
export interface NetChanges {
  /** Sorted, each key once. */
  readonly points: readonly Change[];
  /** Sorted, apart from one another. */
  readonly ranges: readonly KeyRange[];
}

/** Collects changes in the order they are asked for; later ones hide earlier ones. */
export class ChangeSet {
  readonly #points = new Map<string, Change>();
  #ranges: KeyRange[] = [];

  get isEmpty(): boolean {
    return this.#points.size === 0 && this.#ranges.length === 0;
  }

  set(change: Change): void {
    this.#points.set(bytesToPath(change.key), change);
  }

  /** Takes time in proportion to the number of keys set so far. */
  deleteRange(range: KeyRange): void {
    if (isEmptyRange(range)) return;
    for (const [name, { key }] of this.#points) if (inRange(key, range)) this.#points.delete(name);
    this.#ranges = unite([...this.#ranges, range]);
  }

  /** What has become of a key: its change, `null` when a range took it, `undefined` when it was not touched. */
  get(key: Uint8Array): Change | null | undefined {
    const point = this.#points.get(bytesToPath(key));
    if (point !== undefined) return point;
    return this.#ranges.some((range) => inRange(key, range)) ? null : undefined;
  }

  /** Whether anything in the range was touched. */
  touches(range: KeyRange): boolean {
    for (const { key } of this.#points.values()) if (inRange(key, range)) return true;
    return this.#ranges.some((own) => overlap(own, range));
  }

  /** A copy that can go its own way. */
  fork(): ChangeSet {
    const copy = new ChangeSet();
    for (const [name, change] of this.#points) copy.#points.set(name, change);
    copy.#ranges = this.#ranges;
    return copy;
  }

  net(): NetChanges {
    // Names have a character a byte, so that they sort as the keys do, and faster.
    const sorted = [...this.#points].sort(([a], [b]) => (a < b ? -1 : 1));
    return { points: sorted.map(([, change]) => change), ranges: this.#ranges };
  }
}

function unite(ranges: KeyRange[]): KeyRange[] {
  ranges.sort((a, b) => compareKeys(a.start, b.start));
  const united: KeyRange[] = [];
  for (const range of ranges) {
    const last = united.at(-1);
    if (last === undefined || (last.end !== undefined && compareKeys(last.end, range.start) < 0)) united.push(range);
    else if (last.end !== undefined && (range.end === undefined || compareKeys(last.end, range.end) < 0)) {
      united[united.length - 1] =
        range.end === undefined ? { start: last.start } : { start: last.start, end: range.end };
    }
  }
  return united;
}

export function overlap(a: KeyRange, b: KeyRange): boolean {
  return (
    (a.end === undefined || compareKeys(b.start, a.end) < 0) && (b.end === undefined || compareKeys(a.start, b.end) < 0)
  );
}
