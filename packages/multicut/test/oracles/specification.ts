/**
 * The whole answer for two groups of at most two labels each, spelled out step by step over plain arrays: contraction, one
 * shortest path per group, the contest, the lightest cut by trying all of them, the checks. Affinities must have no ties
 * between paths (augmented mode), and add up exactly or never come close to each other.
 */
import type { Row } from "../graphs.ts";

/** What the oracle takes: vertices are 0 … size−1, and their ids ascend with them. */
export interface Question {
  readonly size: number;
  readonly rows: readonly Row[];
  readonly groups: readonly (readonly number[])[];
  readonly mode: "augmented" | "direct";
  readonly disallowIsolating: boolean;
}

export type Answer =
  | { readonly code: string; readonly flow?: number }
  | { readonly flow: number; readonly edges: [number, number][]; readonly parts: number[][]; readonly sides: number[] };

interface Edge {
  readonly a: number;
  readonly b: number;
  readonly weight: number;
  readonly length: number;
}

/** The answer, or `undefined` where there are too many cuts to try. */
export function answerBySpecification({ size, rows, groups, mode, disallowIsolating }: Question): Answer | undefined {
  const finite = rows.filter(([, , w]) => w !== Infinity);
  if (finite.length === 0) return { code: "ONLY_INFINITE_EDGES" };
  const known = new Set(rows.flatMap((row) => row.slice(0, 2)));
  if (groups.flat().some((v) => !known.has(v))) return { code: "LABEL_NOT_IN_GRAPH" };

  const infinite = rows.filter(([, , w]) => w === Infinity);
  const rep = Array.from({ length: size }, (_, v) => Math.min(...reach([v], infinite)));
  const labels = groups.map((group) => [...new Set(group.map((v) => rep[v]!))].sort((a, b) => a - b));
  if (labels[0]!.some((v) => labels[1]!.includes(v))) return { code: "SHARED_SUPERVOXEL" };

  const edges = mergeRows(finite.map(([a, b, w]): Row => [rep[a]!, rep[b]!, w]));
  const pairs = edges.map(({ a, b }): Row => [a, b, 1]);
  const vertices = [...new Set([...known].map((v) => rep[v]!))].sort((a, b) => a - b);
  let terminals: readonly number[][] = labels;
  if (mode === "augmented") {
    if (labels.some((own) => !own.every((v) => reach([own[0]!], pairs).has(v)))) return { code: "NOT_CONNECTED" };
    const alone = labels.map((own, g) => shortestPath(size, edges, own, labels[1 - g]!));
    if (alone.some((path) => path === undefined)) return { code: "BLOCKED_BY_LABELS" };
    const settled = contest(size, edges, labels, alone as Path[]);
    if (settled === undefined) return { code: "PATHS_OVERLAP" };
    terminals = settled;
  } else if (!labels.flat().every((v) => reach([labels[0]![0]!], pairs).has(v))) return { code: "NOT_CONNECTED" };

  const free = vertices.filter((v) => !terminals.flat().includes(v));
  if (free.length > 12) return undefined;
  const { weight, onFirst } = smallestLightestSide(edges, terminals, free);
  const isCut = (a: number, b: number) => onFirst.has(a) !== onFirst.has(b);
  const inside = pairs.filter(([a, b]) => !isCut(a, b));
  const partOf = (v: number) => reach([v], inside);

  if (labels.some((own) => !own.every((v) => partOf(own[0]!).has(v)))) return { code: "GROUP_SEVERED", flow: weight };
  const isolated = labels.some((own, g) => {
    const part = partOf(own[0]!);
    const given = mode === "direct" ? own.length : own.length > 1 ? terminals[g]!.length : 0;
    const beyond = pairs.flatMap(([a, b]) =>
      part.has(a) && !part.has(b) ? [b] : part.has(b) && !part.has(a) ? [a] : [],
    );
    return part.size === given && beyond.some((v) => !labels.flat().includes(v));
  });
  if (isolated && disallowIsolating) return { code: "ISOLATING_CUT", flow: weight };

  const cut = finite
    .filter(([a, b]) => isCut(rep[a]!, rep[b]!))
    .map(([a, b]) => Math.min(a, b) * size + Math.max(a, b));
  if (cut.length === 0) return { code: "EMPTY_CUT" };
  const members = (part: ReadonlySet<number>) => [...known].filter((v) => part.has(rep[v]!)).sort((a, b) => a - b);
  const own = labels.map(([v]) => partOf(v!));
  const rest = vertices.filter((v) => Math.min(...partOf(v)) === v && own.every((part) => !part.has(v)));
  const parts = [...own.map(members), ...rest.map((v) => members(partOf(v))).sort((a, b) => b.length - a.length)];
  return {
    flow: weight,
    edges: [...new Set(cut)].sort((a, b) => a - b).map((key) => [Math.floor(key / size), key % size]),
    parts,
    sides: parts.map(([v]) => (onFirst.has(rep[v!]!) ? 0 : 1)),
  };
}

/** Rows between the same vertices are one edge: weights add up, the strongest row gives the length. */
function mergeRows(rows: readonly Row[]): Edge[] {
  const weights = new Map<string, number[]>();
  for (const [a, b, w] of rows) {
    if (a === b) continue;
    const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
    weights.set(key, [...(weights.get(key) ?? []), w]);
  }
  return [...weights].map(([key, list]) => {
    const [a, b] = key.split(" ").map(Number) as [number, number];
    const weight = list.sort((x, y) => x - y).reduce((sum, w) => sum + w, 0);
    return { a, b, weight, length: 1 / (Math.max(...list) + Number.EPSILON) };
  });
}

function reach(from: readonly number[], rows: readonly Row[]): Set<number> {
  const seen = new Set(from);
  for (let before = 0; before !== seen.size; ) {
    before = seen.size;
    for (const [a, b] of rows) {
      if (seen.has(a)) seen.add(b);
      if (seen.has(b)) seen.add(a);
    }
  }
  return seen;
}

interface Path {
  readonly vertices: number[];
  readonly length: number;
}

/** Bellman and Ford's, between one or two labels. */
function shortestPath(
  size: number,
  edges: readonly Edge[],
  labels: readonly number[],
  blocked: readonly number[],
): Path | undefined {
  const [from, to = from] = labels as [number, number?];
  const distance = new Array<number>(size).fill(Infinity);
  const before = new Array<number>(size).fill(-1);
  distance[from] = 0;
  for (let round = 0; round < size; round++) {
    for (const { a, b, length } of edges) {
      if (blocked.includes(a) || blocked.includes(b)) continue;
      for (const [u, v] of [
        [a, b],
        [b, a],
      ] as const) {
        if (distance[u]! + length >= distance[v]!) continue;
        distance[v] = distance[u]! + length;
        before[v] = u;
      }
    }
  }
  if (distance[to] === Infinity) return undefined;
  const vertices: number[] = [];
  for (let v = to; v >= 0; v = before[v]!) vertices.push(v);
  return { vertices, length: distance[to]! };
}

/** Where the paths cross, the shorter keeps its way (a tie: the second) and the other goes around; else the other way round. */
function contest(
  size: number,
  edges: readonly Edge[],
  labels: readonly number[][],
  alone: readonly Path[],
): number[][] | undefined {
  if (!alone[0]!.vertices.some((v) => alone[1]!.vertices.includes(v))) return alone.map(({ vertices }) => vertices);
  const first = alone[0]!.length < alone[1]!.length ? 0 : 1;
  for (const winner of [first, 1 - first]) {
    const loser = 1 - winner;
    const around = shortestPath(size, edges, labels[loser]!, [...labels[winner]!, ...alone[winner]!.vertices]);
    if (around === undefined) continue;
    return winner === 0 ? [alone[0]!.vertices, around.vertices] : [around.vertices, alone[1]!.vertices];
  }
  return undefined;
}

/** Over all sides; what all lightest ones have in common is the smallest of them. */
function smallestLightestSide(edges: readonly Edge[], terminals: readonly number[][], free: readonly number[]) {
  const sideOf = (mask: number) => new Set([...terminals[0]!, ...free.filter((_, i) => (mask >> i) & 1)]);
  let weight = Infinity;
  let common = 0;
  for (let mask = 0; mask < 1 << free.length; mask++) {
    const side = sideOf(mask);
    const cut = edges.reduce((sum, edge) => sum + (side.has(edge.a) === side.has(edge.b) ? 0 : edge.weight), 0);
    const near = Math.abs(cut - weight) <= 1e-12 * cut;
    if (near) common &= mask;
    else if (cut < weight) {
      weight = cut;
      common = mask;
    }
  }
  return { weight, onFirst: sideOf(common) };
}
