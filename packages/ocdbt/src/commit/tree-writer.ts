/**
 * A tree with changes applied: only nodes on the way to a change are rewritten, everything else is referred to as before.
 *
 * Children that a deleted range covers are dropped unread. A node that has lost entries and is small joins its neighbour; a
 * root with one child gives way to it; a root that has grown too large gets a level above it.
 * @module
 */
import { InteriorBuilder, NO_STATISTICS, splitNode } from "../format/index.ts";
import type { BtreeInterior, BtreeNode, BtreeNodeReference, Config } from "../format/types.ts";
import { fileName } from "../io/node-reader.ts";
import { withOwnSignal } from "../own-signal.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";
import { childPrefix, fullKey } from "../view/leaf-runs.ts";
import { checkChild } from "../view/tree-walk.ts";
import type { NetChanges } from "./changes.ts";
import { completed, concatenated, joinLoose, type Outcome, type Piece, type PlacedPiece } from "./loose-children.ts";
import { writeRow } from "./node-rows.ts";
import { leafOf, type Rebuilt, rebuildLeaf } from "./rebuild-leaf.ts";
import { covers, type Share, sharesOf } from "./shares.ts";
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
      const child = row.children.at(0);
      // A child that this commit made is in memory, unless the cache has no room; then the level stays.
      const node = this.#fresh(child) ? nodes.cachedBtreeNode(child) : await this.#read(child);
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
    parent: BtreeInterior,
    index: number,
    prefix: Uint8Array,
    end: Uint8Array | undefined,
    share: Share,
  ): Promise<Outcome> {
    const { nodes, written } = this.#context;
    const reference = parent.children.at(index);
    const before = written.find(reference, prefix, share);
    if (before !== undefined) return { kind: "written", nodes: before };
    const node = nodes.cachedBtreeNode(reference) ?? (await this.#read(reference));
    checkChild(parent, index, node);
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

  /** Many nodes are read at a time. */
  #read(reference: BtreeNodeReference): Promise<BtreeNode> {
    const { nodes, signal } = this.#context;
    return withOwnSignal(signal, (own) => nodes.btreeNode(reference, own));
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
          : await this.#visit(node, child, childPrefix(node, child, prefix), childEnd, own);
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
    const read = await this.#read(node.children.at(child));
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
