/**
 * What earlier attempts of a commit wrote. When another commit came first, most nodes are still the same below the root: the
 * same node with the same changes gives the same new nodes, which need not be written again.
 * @module
 */
import { compareKeys, type KeyRange } from "@pcg/kvstore";
import type { BtreeNodeReference } from "../format/types.ts";
import { locationName } from "../io/node-reader.ts";
import type { Change } from "./changes.ts";

/** A node as its parent refers to it. */
export interface WrittenSubtree {
  /** First key, with all its bytes. */
  readonly key: Uint8Array;
  readonly excluded: number;
  readonly reference: BtreeNodeReference;
}

interface Share {
  readonly points: readonly Change[];
  readonly ranges: readonly KeyRange[];
}

interface Entry {
  readonly prefix: Uint8Array;
  readonly share: Share;
  readonly nodes: readonly WrittenSubtree[];
}

export class WrittenSubtrees {
  readonly #entries = new Map<string, Entry>();
  /** Of the present attempt; not to be relied on before they are durable. */
  readonly #pending = new Map<string, Entry>();

  find(reference: BtreeNodeReference, prefix: Uint8Array, share: Share): readonly WrittenSubtree[] | undefined {
    const entry = this.#entries.get(locationName(reference.location!));
    if (entry === undefined || compareKeys(entry.prefix, prefix) !== 0 || !isSameShare(entry.share, share)) return;
    return entry.nodes;
  }

  keep(reference: BtreeNodeReference, prefix: Uint8Array, share: Share, nodes: readonly WrittenSubtree[]): void {
    this.#pending.set(locationName(reference.location!), { prefix, share, nodes });
  }

  /** Another attempt begins; what the one before did not make durable is lost, and `afresh` all before it. */
  begin(afresh: boolean): void {
    this.#pending.clear();
    if (afresh) this.#entries.clear();
  }

  /** What the present attempt wrote is durable. */
  settle(): void {
    for (const [name, entry] of this.#pending) this.#entries.set(name, entry);
    this.#pending.clear();
  }
}

function isSameShare(a: Share, b: Share): boolean {
  return (
    a.points.length === b.points.length &&
    a.ranges.length === b.ranges.length &&
    a.points.every((point, i) => point === b.points[i]) &&
    a.ranges.every((range, i) => isSameRange(range, b.ranges[i]!))
  );
}

function isSameRange(a: KeyRange, b: KeyRange): boolean {
  if (compareKeys(a.start, b.start) !== 0) return false;
  return a.end === undefined || b.end === undefined ? a.end === b.end : compareKeys(a.end, b.end) === 0;
}
