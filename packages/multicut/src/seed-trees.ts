import type { Graph } from "./graph.ts";
import { checkGraph, checkVertexGroups } from "./input.ts";
import { connectLabels, type SeedTree } from "./seed-tree.ts";
import { run, type Steps } from "./steps.ts";

/** One tree per group, disjoint; or the group that cannot have one, and why. */
export type SeedTrees =
  | { readonly kind: "trees"; readonly trees: readonly SeedTree[] }
  /** The labels of the group are not connected at all. */
  | { readonly kind: "notConnected"; readonly group: number }
  /** They are, but only across these label vertices of other groups. */
  | { readonly kind: "blocked"; readonly group: number; readonly by: Int32Array }
  /** Each group could be connected, but not all of them side by side. */
  | { readonly kind: "overlap"; readonly group: number };

/** Two path lengths that differ by less, relative, are a tie: sums of the same lengths in another order. */
const TIE = 1e-12;

/**
 * Connects each group's labels by a tree that avoids the labels of the other groups, so that a cut between the trees cannot
 * tear a group apart. Where trees share vertices, the group with the smaller geometric mean of path lengths keeps its tree
 * (a tie goes to the later group) and the other looks for one around it; if there is none, the other goes first, once.
 *
 * @param groups label vertices; no group empty, no vertex twice.
 * @throws MulticutError `INVALID_INPUT` for a graph that is none, `INVALID_GROUPS`.
 */
export function seedTrees(graph: Graph, groups: readonly Int32Array[]): SeedTrees {
  checkGraph(graph);
  checkVertexGroups(graph, groups);
  return run(plantTrees(graph, groups));
}

/** {@link seedTrees} of checked groups, tree by tree. */
export function* plantTrees(graph: Graph, groups: readonly Int32Array[]): Steps<SeedTrees> {
  const alone: SeedTree[] = [];
  for (const [g, labels] of groups.entries()) {
    const tree = connectLabels(graph, labels, blockVertices(graph, otherLabels(groups, g)));
    if (tree === undefined) return yield* explainFailure(graph, groups, g);
    alone.push(tree);
    yield;
  }
  if (areDisjoint(alone)) return { kind: "trees", trees: alone };

  let order = rankByLength(alone);
  const hasGoneFirst = new Set([order[0]!]);
  for (;;) {
    const { trees, failed } = yield* plantInOrder(graph, groups, alone, order);
    if (failed === undefined) return { kind: "trees", trees };
    if (hasGoneFirst.has(failed)) return { kind: "overlap", group: failed };
    hasGoneFirst.add(failed);
    order = [failed, ...order.filter((g) => g !== failed)];
  }
}

/** Trees in order of precedence, each around those before it; or the first group that finds no way. */
function* plantInOrder(
  graph: Graph,
  groups: readonly Int32Array[],
  alone: readonly SeedTree[],
  order: readonly number[],
): Steps<{ trees: SeedTree[]; failed?: number }> {
  const trees = [...alone];
  const planted: Int32Array[] = [];
  for (const g of order) {
    if (meets(alone[g]!.vertices, planted)) {
      const blocked = blockVertices(graph, [...otherLabels(groups, g), ...planted]);
      const tree = connectLabels(graph, groups[g]!, blocked);
      if (tree === undefined) return { trees, failed: g };
      trees[g] = tree;
      yield;
    }
    planted.push(trees[g]!.vertices);
  }
  return { trees };
}

/** Group numbers, shortest geometric mean of path lengths first. */
function rankByLength(trees: readonly SeedTree[]): number[] {
  const scores = trees.map(({ lengths }) =>
    lengths.length === 0
      ? Number.NEGATIVE_INFINITY
      : lengths.reduce((sum, length) => sum + Math.log(length), 0) / lengths.length,
  );
  // Logarithms turn the relative tie into an absolute one.
  return trees
    .map((_, g) => g)
    .sort((a, b) =>
      scores[a] !== scores[b] && Math.abs(scores[a]! - scores[b]!) > TIE ? scores[a]! - scores[b]! : b - a,
    );
}

/** Why the labels of `group` are not connected beside those of the others. */
function* explainFailure(graph: Graph, groups: readonly Int32Array[], group: number): Steps<SeedTrees> {
  const free = new Uint8Array(graph.size);
  // A group that nothing connects comes first, whichever it is: no split of a supervoxel mends that.
  for (const [g, labels] of groups.entries()) {
    if (connectLabels(graph, labels, free) === undefined) return { kind: "notConnected", group: g };
    yield;
  }
  const through = connectLabels(graph, groups[group]!, free)!;
  const others = new Set(otherLabels(groups, group).flatMap((labels) => [...labels]));
  return { kind: "blocked", group, by: through.vertices.filter((v) => others.has(v)) };
}

function otherLabels(groups: readonly Int32Array[], group: number): Int32Array[] {
  return groups.filter((_, g) => g !== group);
}

function blockVertices(graph: Graph, lists: readonly Int32Array[]): Uint8Array {
  const blocked = new Uint8Array(graph.size);
  for (const vertices of lists) for (const v of vertices) blocked[v] = 1;
  return blocked;
}

function areDisjoint(trees: readonly SeedTree[]): boolean {
  return trees.every(
    ({ vertices }, g) =>
      !meets(
        vertices,
        trees.slice(0, g).map((tree) => tree.vertices),
      ),
  );
}

function meets(vertices: Int32Array, lists: readonly Int32Array[]): boolean {
  if (lists.length === 0) return false;
  const mine = new Set(vertices);
  return lists.some((list) => list.some((v) => mine.has(v)));
}
