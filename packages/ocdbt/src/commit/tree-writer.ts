/**
 * A tree with changes applied: only nodes on the way to a change are rewritten, everything else is referred to as before.
 *
 * Children that a deleted range covers are dropped unread. A node that has lost entries and is small joins its neighbour; a
 * root with one child gives way to it; a root that has grown too large gets a level above it.
 * @module
 */
import { compareKeys, type KeyRange } from "@pcg/kvstore";
import { InteriorBuilder, LeafBuilder, lastAtMost, NO_STATISTICS, splitNode } from "../format/index.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, Config } from "../format/types.ts";
import { fileName } from "../io/node-reader.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";
import { childPrefix, childrenWithin, firstAtLeast, fullKey, sideOf } from "../view/leaf-runs.ts";
import type { Change, NetChanges } from "./changes.ts";
import { writeRow } from "./node-rows.ts";
import type { WrittenSubtree, WrittenSubtrees } from "./written-subtrees.ts";

export const EMPTY_TREE: BtreeNodeReference = { location: undefined, height: 0, statistics: NO_STATISTICS };

export interface TreeWriterContext {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  readonly config: Pick<Config, "maxDecodedNodeBytes" | "compression">;
  /** Subtrees that earlier attempts of the same commit wrote. */
  readonly written: WrittenSubtrees;
  readonly signal?: AbortSignal;
}

/** What has become of a subtree. */
type Outcome =
  /** Nothing changed: the old reference holds. */
  | { readonly kind: "same" }
  | { readonly kind: "written"; readonly nodes: readonly WrittenSubtree[] }
  /**
   * Entries (their keys complete) that are too few for a node of their own, if any; the parent finds them a place. They may be of
   * a lower level than the subtree was.
   */
  | { readonly kind: "loose"; readonly row: BtreeNode | undefined };

/** A node's entries after the changes; `undefined`: none are left. */
interface Rebuilt {
  readonly row: BtreeNode | undefined;
  /** Whether there are fewer than before. */
  readonly lost: boolean;
}

/** The part of the changes that concerns one subtree. */
interface Share {
  readonly points: readonly Change[];
  readonly ranges: readonly KeyRange[];
}

/** The tree after the changes; `root` itself when they change nothing. */
export async function writeTree(
  root: BtreeNodeReference,
  changes: NetChanges,
  context: TreeWriterContext,
): Promise<BtreeNodeReference> {
  return await new TreeWriter(context).apply(root, changes);
}

const NO_BYTES = new Uint8Array(0);

class TreeWriter {
  readonly #context: TreeWriterContext;
  constructor(context: TreeWriterContext) {
    this.#context = context;
  }

  async apply(root: BtreeNodeReference, changes: NetChanges): Promise<BtreeNodeReference> {
    let row: BtreeNode | undefined;
    if (root.location === undefined) row = leafOf(changes.points);
    else {
      const node = await this.#context.nodes.btreeNode(root, this.#context);
      const outcome = await this.#rebuild(node, NO_BYTES, undefined, changes);
      if (outcome === "same") return root;
      row = outcome.row;
    }
    if (row === undefined) return EMPTY_TREE;
    return await this.#makeRoot(row);
  }

  /** Adds levels above, or takes them away, until one node is left. */
  async #makeRoot(top: BtreeNode): Promise<BtreeNodeReference> {
    let row = top;
    while ("children" in row && row.keys.length === 1) {
      const { nodes } = this.#context;
      const child = row.children[0]!;
      // A child that this commit made is in memory, unless the cache has no room; then the level stays.
      const node = this.#fresh(child) ? nodes.cachedBtreeNode(child) : await nodes.btreeNode(child, this.#context);
      if (node === undefined) break;
      row = completed(node, childPrefix(row, 0, NO_BYTES));
    }
    for (;;) {
      const nodes = await this.#write(row, true);
      if (nodes.length === 1) return nodes[0]!.reference;
      const builder = new InteriorBuilder(row.height + 1);
      for (const { key, excluded, reference } of nodes) builder.add(key, excluded, reference);
      row = builder.finish();
    }
  }

  async #visit(
    reference: BtreeNodeReference,
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    share: Share,
  ): Promise<Outcome> {
    const { nodes, written } = this.#context;
    const before = written.find(reference, prefix, share);
    if (before !== undefined) return { kind: "written", nodes: before };
    const node = nodes.cachedBtreeNode(reference) ?? (await nodes.btreeNode(reference, this.#context));
    const outcome = await this.#rebuild(node, prefix, end, share);
    if (outcome === "same") return { kind: "same" };
    const { row, lost } = outcome;
    if (row === undefined || row.height < reference.height || (lost && this.#isSmall(row)))
      return { kind: "loose", row };
    const result = await this.#write(row, false);
    written.keep(reference, prefix, share, result);
    return { kind: "written", nodes: result };
  }

  async #rebuild(
    node: BtreeNode,
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    share: Share,
  ): Promise<"same" | Rebuilt> {
    return "children" in node
      ? await this.#rebuildInterior(node, prefix, end, share)
      : rebuildLeaf(node, prefix, share);
  }

  async #rebuildInterior(
    node: BtreeInterior,
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    share: Share,
  ): Promise<"same" | Rebuilt> {
    const { keys } = node;
    const shares = sharesOf(node, prefix, share);
    const outcomes = new Map<number, Outcome>();
    await Promise.all(
      shares.map(async ([child, own]) => {
        const childEnd = child + 1 < keys.length ? fullKey(keys, child + 1, prefix) : end;
        const outcome = own.ranges.some((range) => covers(range, fullKey(keys, child, prefix), childEnd))
          ? { kind: "loose" as const, row: leafOf(own.points) }
          : await this.#visit(node.children[child]!, childPrefix(node, child, prefix), childEnd, own);
        if (outcome.kind !== "same") outcomes.set(child, outcome);
      }),
    );
    if (outcomes.size === 0) return "same";
    const pieces = joinLoose(await this.#levelled(node, outcomes), keys.length);
    const [only] = pieces;
    // Nothing else is left here: they may find company further up.
    if (pieces.length === 1 && only?.kind === "loose" && this.#isSmall(only.row)) return { row: only.row, lost: true };
    const builder = new InteriorBuilder(node.height);
    let lost = false;
    for (const piece of await this.#placeLoose(pieces, node, prefix)) {
      if (piece.kind === "kept") builder.copy(node, piece.start, piece.end, prefix);
      else {
        lost ||= piece.nodes.length < piece.replaced;
        for (const { key, excluded, reference } of piece.nodes) builder.add(key, excluded, reference);
      }
    }
    return { row: builder.length === 0 ? undefined : builder.finish(), lost };
  }

  /** Brings loose entries that will come together to one level. */
  async #levelled(node: BtreeInterior, outcomes: Map<number, Outcome>): Promise<Map<number, Outcome>> {
    let height = 0;
    for (let i = node.keys.length - 1, end = i; i >= 0; i--) {
      const outcome = outcomes.get(i);
      if (outcome?.kind !== "loose") {
        end = i - 1;
        height = 0;
        continue;
      }
      height = Math.max(height, outcome.row?.height ?? 0);
      if (outcomes.get(i - 1)?.kind === "loose") continue;
      for (let k = i; k <= end; k++) {
        const { row } = outcomes.get(k) as Extract<Outcome, { kind: "loose" }>;
        if (row !== undefined && row.height < height)
          outcomes.set(k, { kind: "loose", row: await this.#raise(row, height) });
      }
    }
    return outcomes;
  }

  /** Gives loose entries to a neighbour, or a node of their own when there is none. */
  async #placeLoose(pieces: readonly Piece[], node: BtreeInterior, prefix: Uint8Array): Promise<PlacedPiece[]> {
    const placed: PlacedPiece[] = [];
    const rest = [...pieces];
    for (let piece = rest.shift(); piece !== undefined; piece = rest.shift()) {
      if (piece.kind !== "loose") {
        if (piece.kind === "written" || piece.start < piece.end) placed.push(piece);
        continue;
      }
      let row = await this.#raise(piece.row, node.height - 1);
      let { replaced } = piece;
      const before = placed.at(-1);
      const [after] = rest;
      if (!this.#isSmall(row)) {
        // Enough for a node.
      } else if (after?.kind === "kept") {
        row = concatenated(row, await this.#readChild(node, after.start, prefix))!;
        rest[0] = { ...after, start: after.start + 1 };
        replaced++;
      } else if (before?.kind === "kept") {
        row = concatenated(await this.#readChild(node, before.end - 1, prefix), row)!;
        placed.pop();
        if (before.start < before.end - 1) placed.push({ ...before, end: before.end - 1 });
        replaced++;
      }
      placed.push({ kind: "written", replaced, nodes: await this.#write(row, false) });
    }
    return placed;
  }

  /** A row of a higher level that holds the same. */
  async #raise(low: BtreeNode, height: number): Promise<BtreeNode> {
    let row = low;
    while (row.height < height) {
      const builder: InteriorBuilder = new InteriorBuilder(row.height + 1);
      for (const { key, excluded, reference } of await this.#write(row, false)) builder.add(key, excluded, reference);
      row = builder.finish();
    }
    return row;
  }

  /** Whether a node was made in this attempt, so that the store does not have it yet. */
  #fresh({ location }: BtreeNodeReference): boolean {
    return location !== undefined && this.#context.writer.files.includes(fileName(location.file));
  }

  async #readChild(node: BtreeInterior, child: number, prefix: Uint8Array): Promise<BtreeNode> {
    const read = await this.#context.nodes.btreeNode(node.children[child]!, this.#context);
    return completed(read, childPrefix(node, child, prefix));
  }

  async #write(row: BtreeNode, mayBeRoot: boolean): Promise<WrittenSubtree[]> {
    return await writeRow(row, mayBeRoot, this.#context);
  }

  /** Under a quarter of a node, or too few entries for one. */
  #isSmall(row: BtreeNode): boolean {
    const { maxDecodedNodeBytes } = this.#context.config;
    if ("children" in row && row.keys.length < 2) return true;
    return maxDecodedNodeBytes >= 4 && splitNode(row, Math.ceil(maxDecodedNodeBytes / 4)).length === 1;
  }
}

/** Children of a node, in order: as they were, or what has replaced so many of them. */
type PlacedPiece =
  | { readonly kind: "kept"; readonly start: number; readonly end: number }
  | { readonly kind: "written"; readonly replaced: number; readonly nodes: readonly WrittenSubtree[] };

type Piece = PlacedPiece | { readonly kind: "loose"; readonly replaced: number; readonly row: BtreeNode };

/** The children of a node of `count`, loose ones behind one another put together. */
function joinLoose(outcomes: ReadonlyMap<number, Outcome>, count: number): Piece[] {
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

/** The children that changes concern, in order, each with its share. The first child owns what comes before it. */
function sharesOf(node: BtreeInterior, prefix: Uint8Array, { points, ranges }: Share): [number, Share][] {
  const { keys } = node;
  const byChild = new Map<number, { points: Change[]; ranges: KeyRange[] }>();
  const shareOf = (child: number): { points: Change[]; ranges: KeyRange[] } => {
    let own = byChild.get(child);
    if (own === undefined) {
      own = { points: [], ranges: [] };
      byChild.set(child, own);
    }
    return own;
  };
  for (const range of ranges) {
    const [first, end] = childrenWithin(keys, prefix, range);
    for (let child = first; child < end; child++) shareOf(child).ranges.push(range);
  }
  for (const point of points) shareOf(ownerOf(node, prefix, point.key)).points.push(point);
  return [...byChild].sort(([a], [b]) => a - b);
}

function ownerOf({ keys }: BtreeInterior, prefix: Uint8Array, key: Uint8Array): number {
  const side = sideOf(prefix, key);
  if (side === 0) return Math.max(0, lastAtMost(keys, key, prefix.length));
  return side < 0 ? 0 : keys.length - 1;
}

/** Whether all keys a child can hold lie in the range. */
function covers(range: KeyRange, firstKey: Uint8Array, end: Uint8Array | undefined): boolean {
  if (compareKeys(range.start, firstKey) > 0) return false;
  return range.end === undefined || (end !== undefined && compareKeys(end, range.end) <= 0);
}

function leafOf(points: readonly Change[]): BtreeLeaf | undefined {
  const builder = new LeafBuilder();
  for (const { key, value } of points) if (value !== null) builder.add(key, value);
  return builder.length === 0 ? undefined : builder.finish();
}

function rebuildLeaf(leaf: BtreeLeaf, prefix: Uint8Array, { points, ranges }: Share): "same" | Rebuilt {
  const { keys } = leaf;
  const builder = new LeafBuilder();
  // Entries before the cursor are copied or gone.
  let cursor = 0;
  let removed = 0;
  let added = 0;
  const skipTo = (start: number, end: number): void => {
    if (start > cursor) {
      builder.copy(leaf, cursor, start, prefix);
      cursor = start;
    }
    if (end > cursor) {
      removed += end - cursor;
      cursor = end;
    }
  };
  let range = 0;
  const skipRangesUpTo = (key: Uint8Array | undefined): void => {
    for (; range < ranges.length; range++) {
      const { start, end } = ranges[range]!;
      if (key !== undefined && compareKeys(start, key) > 0) return;
      skipTo(firstAtLeast(keys, prefix, start), end === undefined ? keys.length : firstAtLeast(keys, prefix, end));
    }
  };
  for (const { key, value } of points) {
    skipRangesUpTo(key);
    const at = firstAtLeast(keys, prefix, key);
    skipTo(at, at < keys.length && compareKeys(fullKey(keys, at, prefix), key) === 0 ? at + 1 : at);
    if (value === null) continue;
    builder.add(key, value);
    added++;
  }
  skipRangesUpTo(undefined);
  if (removed === 0 && added === 0) return "same";
  skipTo(keys.length, keys.length);
  return { row: builder.length === 0 ? undefined : builder.finish(), lost: removed > added };
}

/** A node as a row whose keys have all their bytes. */
function completed(node: BtreeNode, prefix: Uint8Array): BtreeNode {
  if (prefix.length === 0) return node;
  return concatenated(undefined, node, prefix)!;
}

function concatenated(
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
