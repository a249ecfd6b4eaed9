type Edge = readonly [number, number, number];

/** The weight of the lightest cut and the smallest source side among the lightest ones, over all 2^n sides. */
export function lightestCut(
  size: number,
  edges: readonly Edge[],
  sources: readonly number[],
  sinks: readonly number[],
) {
  let weight = Infinity;
  let side = 0;
  for (let mask = 0; mask < 1 << size; mask++) {
    if (!sources.every((v) => (mask >> v) & 1) || sinks.some((v) => (mask >> v) & 1)) continue;
    const cut = edges.reduce((sum, [a, b, w]) => sum + (((mask >> a) ^ (mask >> b)) & 1 ? w : 0), 0);
    // Smallest sides of lightest cuts are closed under intersection, so there is one smallest.
    if (cut < weight || (cut === weight && bits(mask) < bits(side))) {
      weight = cut;
      side = mask;
    }
  }
  return { weight, side: Array.from({ length: size }, (_, v) => ((side >> v) & 1) === 1) };
}

/** The weight of the lightest assignment of vertices to groups, some fixed, over all k^n. */
export function lightestMultiwayCut(
  size: number,
  edges: readonly Edge[],
  groups: readonly (readonly number[])[],
): number {
  const assigned = Array.from({ length: size }, (_, v) => groups.findIndex((group) => group.includes(v)));
  let best = Infinity;
  const visit = (v: number): void => {
    if (v === size) {
      best = Math.min(
        best,
        edges.reduce((sum, [a, b, w]) => sum + (assigned[a] === assigned[b] ? 0 : w), 0),
      );
      return;
    }
    if (assigned[v]! >= 0) {
      visit(v + 1);
      return;
    }
    for (let g = 0; g < groups.length; g++) {
      assigned[v] = g;
      visit(v + 1);
    }
    assigned[v] = -1;
  };
  visit(0);
  return best;
}

/** The smallest weight between parts over all partitions. */
export function lightestPartition(size: number, edges: readonly Edge[]): number {
  const part: number[] = [];
  let best = Infinity;
  const visit = (v: number, parts: number): void => {
    if (v === size) {
      best = Math.min(
        best,
        edges.reduce((sum, [a, b, w]) => sum + (part[a] === part[b] ? 0 : w), 0),
      );
      return;
    }
    for (let p = 0; p <= parts; p++) {
      part[v] = p;
      visit(v + 1, Math.max(parts, p + 1));
    }
  };
  visit(0, 0);
  return best;
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count++;
  return count;
}
