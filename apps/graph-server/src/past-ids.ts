import type { Lineage } from "@pcg/chunkedgraph";

export interface PastIdMaps {
  /** Root → the roots without parents in the window it came from; itself when it has no ancestors. */
  readonly past: ReadonlyMap<bigint, BigUint64Array>;
  /** Past root → the one root it became; left out when it was split. */
  readonly future: ReadonlyMap<bigint, bigint>;
}

/** Reads both mappings off a lineage graph. */
export function pastIdMaps({ links }: Lineage, roots: BigUint64Array): PastIdMaps {
  const parents = neighbours(links.map(({ source, target }) => [target, source]));
  const children = neighbours(links.map(({ source, target }) => [source, target]));
  const past = new Map<bigint, BigUint64Array>();
  const future = new Map<bigint, bigint>();
  for (const root of roots) past.set(root, ends(root, parents));
  for (const origins of past.values()) {
    for (const origin of origins) {
      const outcome = ends(origin, children);
      if (outcome.length === 1) future.set(origin, outcome[0]!);
    }
  }
  return { past, future };
}

/** The nodes without further neighbours that can be reached from `start`, ascending; `start` when it has none. */
function ends(start: bigint, neighbours: ReadonlyMap<bigint, readonly bigint[]>): BigUint64Array {
  const seen = new Set([start]);
  const found: bigint[] = [];
  for (const node of seen) {
    const next = neighbours.get(node);
    if (next === undefined) found.push(node);
    else for (const other of next) seen.add(other);
  }
  return BigUint64Array.from(found).sort();
}

function neighbours(pairs: readonly (readonly [bigint, bigint])[]): Map<bigint, bigint[]> {
  const map = new Map<bigint, bigint[]>();
  for (const [from, to] of pairs) {
    const list = map.get(from);
    if (list === undefined) map.set(from, [to]);
    else list.push(to);
  }
  return map;
}
