/**
 * What has become of the children of a node, and the putting together of those that have become too small.
 * @module
 */
import { InteriorBuilder, LeafBuilder } from "../format/index.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode } from "../format/types.ts";
import type { WrittenSubtree } from "./written-subtrees.ts";

/** What has become of a subtree. */
export type Outcome =
  /** Nothing changed: the old reference holds. */
  | { readonly kind: "same" }
  | { readonly kind: "written"; readonly nodes: readonly WrittenSubtree[] }
  /**
   * Entries (their keys complete) that are too few for a node of their own, if any; the parent finds them a place. They may be of
   * a lower level than the subtree was.
   */
  | { readonly kind: "loose"; readonly row: BtreeNode | undefined };

/** Children of a node, in order: as they were, or what has replaced so many of them. */
export type PlacedPiece =
  | { readonly kind: "kept"; readonly start: number; readonly end: number }
  | { readonly kind: "written"; readonly replaced: number; readonly nodes: readonly WrittenSubtree[] };

export type Piece = PlacedPiece | { readonly kind: "loose"; readonly replaced: number; readonly row: BtreeNode };

/** The children of a node of `count`, loose ones behind one another put together. */
export function joinLoose(outcomes: ReadonlyMap<number, Outcome>, count: number): Piece[] {
  const pieces: Piece[] = [];
  for (let i = 0; i < count; ) {
    const outcome = outcomes.get(i);
    if (outcome?.kind === "written") {
      pieces.push({ kind: "written", replaced: 1, nodes: outcome.nodes });
      i++;
      continue;
    }
    const start = i;
    if (outcome === undefined || outcome.kind === "same") {
      while (i < count && (outcomes.get(i) ?? SAME).kind === "same") i++;
      pieces.push({ kind: "kept", start, end: i });
      continue;
    }
    let row: BtreeNode | undefined;
    for (let loose = outcomes.get(i); loose?.kind === "loose"; loose = outcomes.get(++i))
      row = concatenated(row, loose.row);
    if (row === undefined) pieces.push({ kind: "written", replaced: i - start, nodes: [] });
    else pieces.push({ kind: "loose", replaced: i - start, row });
  }
  return pieces;
}

const SAME: Outcome = { kind: "same" };

const NO_BYTES = new Uint8Array(0);

/** A node as a row whose keys have all their bytes. */
export function completed(node: BtreeNode, prefix: Uint8Array): BtreeNode {
  if (prefix.length === 0) return node;
  return concatenated(undefined, node, prefix)!;
}

/** The entries of both, the first's keys complete. */
export function concatenated(
  first: BtreeNode | undefined,
  second: BtreeNode | undefined,
  secondPrefix: Uint8Array = NO_BYTES,
): BtreeNode | undefined {
  if (second === undefined) return first;
  if (first === undefined && secondPrefix.length === 0) return second;
  if ("children" in second) {
    const builder = new InteriorBuilder(second.height);
    if (first !== undefined) builder.copy(first as BtreeInterior, 0, first.keys.length);
    builder.copy(second, 0, second.keys.length, secondPrefix);
    return builder.finish();
  }
  const builder = new LeafBuilder();
  if (first !== undefined) builder.copy(first as BtreeLeaf, 0, first.keys.length);
  builder.copy(second, 0, second.keys.length, secondPrefix);
  return builder.finish();
}
