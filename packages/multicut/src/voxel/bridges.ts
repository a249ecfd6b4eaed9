/**
 * The proof that a routed split can be cut.
 * @module
 */
import { DisjointSets } from "../disjoint-sets.ts";
import type { Routing } from "./route-edges.ts";

/**
 * Contracts infinite edges (pairs of ids) and looks for a contracted node with ids on sides of two groups. Undefined if there is none:
 * then no infinite edge stands between the groups. Else the supervoxels without a side that infinite edges tie to those of such a
 * node; if it has none, its ids that have one.
 */
export function findBridges(
  infinite: BigUint64Array,
  sides: ReadonlyMap<bigint, number>,
  groups: number,
): Exclude<Routing, { kind: "routed" }> | undefined {
  const numberOf = new Map<bigint, number>();
  const ids: bigint[] = [];
  const numbered = (id: bigint): number => {
    let number = numberOf.get(id);
    if (number === undefined) {
      number = ids.push(id) - 1;
      numberOf.set(id, number);
    }
    return number;
  };
  const ties: (readonly [number, number])[] = [];
  for (let i = 0; i < infinite.length; i += 2) ties.push([numbered(infinite[i]!), numbered(infinite[i + 1]!)]);
  const sets = new DisjointSets(ids.length);
  for (const [a, b] of ties) sets.join(a, b);

  const sideOf = new Map<number, number>();
  const bridged = new Set<number>();
  for (const [number, id] of ids.entries()) {
    const side = sides.get(id) ?? 0;
    if (side === 0 || side > groups) continue;
    const node = sets.find(number);
    if ((sideOf.get(node) ?? side) !== side) bridged.add(node);
    sideOf.set(node, side);
  }
  if (bridged.size === 0) return undefined;

  const partners = new Set<bigint>();
  for (const [a, b] of ties) {
    if (!bridged.has(sets.find(a))) continue;
    for (const [one, other] of [
      [ids[a]!, ids[b]!],
      [ids[b]!, ids[a]!],
    ] as const) {
      if (sides.has(one) && !sides.has(other)) partners.add(other);
    }
  }
  if (partners.size > 0) return { kind: "cascade", partners: BigUint64Array.from(partners).sort() };
  const members = ids.filter((id, number) => sides.has(id) && bridged.has(sets.find(number)));
  return { kind: "bridged", fragments: BigUint64Array.from(members).sort() };
}
