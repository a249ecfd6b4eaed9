import type { Assignment } from "./assignment.ts";
import type { Components } from "./components.ts";
import { type Contraction, membersOfParts } from "./contract.ts";
import { idsAt } from "./id-table.ts";
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
  const members = membersOfParts(contraction, components.of, components.count);
  const sideOf = new Int32Array(components.count);
  for (let v = 0; v < side.length; v++) sideOf[components.of[v]!] = side[v]!;
  const order = orderParts(counts, members);
  return {
    edges: cutEdges(contraction, side),
    parts: order.map((c) => (c < 0 ? new BigUint64Array(0) : members[c]!)),
    sides: order.map((c, i) => (c < 0 ? i : sideOf[c]!)),
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
  const sorted = Float64Array.from(keys).sort();
  const distinct = sorted.filter((key, i) => i === 0 || key !== sorted[i - 1]);
  const places = new Int32Array(2 * distinct.length);
  for (let i = 0; i < distinct.length; i++) {
    // Exact to 9·10^7 ids.
    const first = Math.floor(distinct[i]! / ids.length);
    places[2 * i] = first;
    places[2 * i + 1] = distinct[i]! - first * ids.length;
  }
  return idsAt(ids, places);
}

/** For each group the component with most of its labels that no earlier group took (-1: none left), then the rest. */
function orderParts(counts: readonly Int32Array[], members: readonly BigUint64Array[]): number[] {
  const taken = new Set<number>();
  const own = counts.map((perPart) => {
    let best = -1;
    for (let c = 0; c < perPart.length; c++) {
      if (perPart[c]! > 0 && !taken.has(c) && (best < 0 || perPart[c]! > perPart[best]!)) best = c;
    }
    taken.add(best);
    return best;
  });
  // Components are numbered by their smallest id already: that breaks ties.
  const rest = Array.from(members, (_, c) => c)
    .filter((c) => !taken.has(c))
    .sort((a, b) => members[b]!.length - members[a]!.length || a - b);
  return [...own, ...rest];
}
