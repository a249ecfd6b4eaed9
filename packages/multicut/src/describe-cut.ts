import type { Assignment } from "./assignment.ts";
import type { Components } from "./components.ts";
import { type Contraction, membersOf } from "./contract.ts";
import type { Cut } from "./result.ts";

/** Writes an assignment of vertices as edges and parts of supervoxels. */
export function describeCut(
  contraction: Contraction,
  components: Components,
  assignment: Assignment,
  labels: readonly Int32Array[],
): Cut {
  const { flow, lowerBound, guarantee, side } = assignment;
  const counts = labels.map((group) => {
    const perPart = new Int32Array(components.count);
    for (const v of group) perPart[components.of[v]!]!++;
    return perPart;
  });
  const order = orderParts(contraction, components, counts);
  const vertices = listVertices(components);
  return {
    edges: cutEdges(contraction, side),
    parts: order.map((c) => (c < 0 ? new BigUint64Array(0) : membersOf(contraction, vertices[c]!))),
    sides: order.map((c, i) => (c < 0 ? i : side[vertices[c]![0]!]!)),
    vertexCounts: order.map((c) => (c < 0 ? 0 : components.sizes[c]!)),
    labelCounts: order.map((c) => counts.map((perPart) => (c < 0 ? 0 : perPart[c]!))),
    flow,
    certificate: { lowerBound, ratio: flow > 0 ? flow / lowerBound : 1, guarantee },
  };
}

/** The input's pairs between sides: smaller id first, ascending, distinct. */
export function cutEdges(contraction: Contraction, side: Int32Array): BigUint64Array {
  const { ends, vertexOf, ids } = contraction;
  const keys: number[] = [];
  for (let i = 0; i < ends.length; i += 2) {
    const a = ends[i]!;
    const b = ends[i + 1]!;
    if (side[vertexOf[a]!] !== side[vertexOf[b]!]) keys.push(a < b ? a * ids.length + b : b * ids.length + a);
  }
  return pairsOf(ids, Float64Array.from(keys).sort());
}

/** Pairs of ids from ascending keys `first · n + second`; repeats are dropped. Exact to n = 9·10^7. */
export function pairsOf(ids: BigUint64Array, keys: Float64Array): BigUint64Array {
  const distinct = keys.filter((key, i) => i === 0 || key !== keys[i - 1]);
  const pairs = new BigUint64Array(2 * distinct.length);
  for (let i = 0; i < distinct.length; i++) {
    const key = distinct[i]!;
    const first = Math.floor(key / ids.length);
    pairs[2 * i] = ids[first]!;
    pairs[2 * i + 1] = ids[key - first * ids.length]!;
  }
  return pairs;
}

/** For each group the component with most of its labels that no earlier group took (-1: none left), then the rest. */
function orderParts(contraction: Contraction, components: Components, counts: readonly Int32Array[]): number[] {
  const taken = new Set<number>();
  const own = counts.map((perPart) => {
    let best = -1;
    for (let c = 0; c < perPart.length; c++) {
      if (perPart[c]! > 0 && !taken.has(c) && (best < 0 || perPart[c]! > perPart[best]!)) best = c;
    }
    taken.add(best);
    return best;
  });
  const supervoxels = new Int32Array(components.count);
  for (const v of contraction.vertexOf) supervoxels[components.of[v]!]!++;
  // Components are numbered by their smallest id already: that breaks ties.
  const rest = Array.from({ length: components.count }, (_, c) => c)
    .filter((c) => !taken.has(c))
    .sort((a, b) => supervoxels[b]! - supervoxels[a]! || a - b);
  return [...own, ...rest];
}

function listVertices(components: Components): Int32Array[] {
  const lists = Array.from(components.sizes, (size) => new Int32Array(size));
  const filled = new Int32Array(components.count);
  for (let v = 0; v < components.of.length; v++) {
    const c = components.of[v]!;
    lists[c]![filled[c]!++] = v;
  }
  return lists;
}
