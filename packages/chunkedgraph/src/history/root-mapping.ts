import type { Lineage, Time } from "../contract.ts";
import { lineageUntil } from "./lineage.ts";

/** What roots were made from, and what became of that. */
export interface RootMapping {
  /**
   * Root → the roots it came from that were valid when the lineage's window begins, ascending; itself when it is such a
   * one.
   */
  readonly past: ReadonlyMap<bigint, BigUint64Array>;
  /** Each of these past roots → the one root it was at the end; left out when it was several. */
  readonly future: ReadonlyMap<bigint, bigint>;
}

/**
 * Reads both mappings of some roots off the lineage of a window of time ({@link GraphHistory.lineage}).
 * @param to the end of that window, when it has one: the past roots' future ends with the roots of then
 */
export function rootMapping(lineage: Lineage, roots: BigUint64Array, to?: Time): RootMapping {
  const { links } = lineage;
  const then = to === undefined ? links : lineageUntil(lineage, to).links;
  const former = neighbours(links.map(({ source, target }) => [target, source]));
  const successors = neighbours(then.map(({ source, target }) => [source, target]));
  const past = new Map<bigint, BigUint64Array>();
  for (const root of roots) past.set(root, ends(root, former));
  const future = new Map<bigint, bigint>();
  for (const origins of past.values()) {
    for (const origin of origins) {
      const outcome = ends(origin, successors);
      if (outcome.length === 1) future.set(origin, outcome[0]!);
    }
  }
  return { past, future };
}

/** The nodes without further neighbours that can be reached from `start`, ascending; `start` when it has none. */
function ends(start: bigint, next: ReadonlyMap<bigint, readonly bigint[]>): BigUint64Array {
  const seen = new Set([start]);
  const found: bigint[] = [];
  for (const node of seen) {
    const others = next.get(node);
    if (others === undefined) found.push(node);
    else for (const other of others) seen.add(other);
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
