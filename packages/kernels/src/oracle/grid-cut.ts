/**
 * Minimum cut by augmenting along shortest paths (Edmonds and Karp): the meaning of the fast kernel. For tests.
 * @module
 */
import { FREE, type GridCut, type GridGraph, OUTSIDE, SINK, SOURCE } from "../grid-cut.ts";
import { DIRECTIONS } from "../rim.ts";
import { checkLength } from "../volume.ts";

/** See `gridCut` of `@pcg/kernels/grid-cut`. */
export function gridCutOracle({ states, size, weights, evidence }: GridGraph): GridCut {
  checkLength("states", states.length, size);
  const [sx, sy, sz] = size;
  // Nodes are the voxels, then one source and one sink; residual capacities by tail and head.
  const source = states.length;
  const sink = source + 1;
  const residual = Array.from({ length: sink + 1 }, () => new Map<number, number>());
  const nodeOf = (voxel: number): number => (states[voxel] === SOURCE ? source : states[voxel] === SINK ? sink : voxel);
  const join = (a: number, b: number, capacity: number): void => {
    if (a === b) return;
    residual[a]!.set(b, (residual[a]!.get(b) ?? 0) + capacity);
    residual[b]!.set(a, (residual[b]!.get(a) ?? 0) + capacity);
  };
  for (let voxel = 0; voxel < states.length; voxel++) {
    if (states[voxel] === OUTSIDE) continue;
    const [x, y, z] = [voxel % sx, Math.floor(voxel / sx) % sy, Math.floor(voxel / (sx * sy))];
    DIRECTIONS.forEach(([dx, dy, dz], k) => {
      const [i, j, l] = [x + dx, y + dy, z + dz];
      if (i < 0 || j < 0 || l < 0 || i >= sx || j >= sy || l >= sz || weights[k] === 0) return;
      const other = i + sx * (j + sy * l);
      if (states[other] === OUTSIDE) return;
      const [one, two] = evidence === undefined ? [255, 255] : [evidence[voxel]!, evidence[other]!];
      const parts = 15 * Math.min(one, two) + Math.max(one, two);
      join(nodeOf(voxel), nodeOf(other), Math.max(1, Math.floor((weights[k]! * parts + 2040) / 4080)));
    });
  }
  let flow = 0;
  for (;;) {
    const from = new Map([[source, source]]);
    const open = [source];
    for (const node of open) {
      for (const [next, room] of residual[node]!) {
        if (room <= 0 || from.has(next)) continue;
        from.set(next, node);
        open.push(next);
      }
    }
    if (!from.has(sink)) break;
    let room = Number.POSITIVE_INFINITY;
    for (let node = sink; node !== source; node = from.get(node)!) {
      room = Math.min(room, residual[from.get(node)!]!.get(node)!);
    }
    for (let node = sink; node !== source; node = from.get(node)!) {
      const tail = from.get(node)!;
      residual[tail]!.set(node, residual[tail]!.get(node)! - room);
      residual[node]!.set(tail, residual[node]!.get(tail)! + room);
    }
    flow += room;
  }
  const reaches = new Set([sink]);
  for (const node of reaches) {
    for (const before of residual[node]!.keys()) if (residual[before]!.get(node)! > 0) reaches.add(before);
  }
  const sides = Uint8Array.from(states, (state, voxel) =>
    state === OUTSIDE ? 0 : state === SINK || (state === FREE && reaches.has(voxel)) ? 2 : 1,
  );
  return { sides, flow };
}
