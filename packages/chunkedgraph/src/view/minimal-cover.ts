import type { GraphView, ReadOptions } from "../contract.ts";
import { layerOf } from "../ids.ts";

/**
 * The fewest nodes that together have exactly the supervoxels of the given ones: layer by layer, a complete family of
 * children is replaced by its parent. Ids the graph does not know are left out.
 *
 * @returns ids in ascending order, none below another
 */
export async function minimalCover(
  view: GraphView,
  ids: BigUint64Array,
  options: ReadOptions = {},
): Promise<BigUint64Array> {
  const exist = await view.exist(ids, options);
  const byLayer = new Map<number, Set<bigint>>();
  const put = (id: bigint): void => {
    const layer = layerOf(id);
    const nodes = byLayer.get(layer);
    if (nodes === undefined) byLayer.set(layer, new Set([id]));
    else nodes.add(id);
  };
  for (let i = 0; i < ids.length; i++) if (exist[i] === 1) put(ids[i]!);

  const kept = new Set<bigint>();
  for (let layer = 1; layer <= Math.max(0, ...byLayer.keys()); layer++) {
    const nodes = BigUint64Array.from(byLayer.get(layer) ?? []);
    for (const node of nodes) kept.add(node);
    const parents = [...new Set(await view.parents(nodes, options))].filter((parent) => parent !== 0n);
    const families = await view.children(BigUint64Array.from(parents), options);
    families.forEach((children, i) => {
      if (!children!.every((child) => kept.has(child))) return;
      for (const child of children!) kept.delete(child);
      put(parents[i]!);
    });
  }
  return await withoutDescendants(view, kept, options);
}

/** Drops nodes below another node of the set: their supervoxels are covered already. */
async function withoutDescendants(
  view: GraphView,
  nodes: ReadonlySet<bigint>,
  options: ReadOptions,
): Promise<BigUint64Array> {
  const all = BigUint64Array.from(nodes);
  const covered = new Uint8Array(all.length);
  let ancestors = await view.parents(all, options);
  while (ancestors.some((ancestor) => ancestor !== 0n)) {
    ancestors.forEach((ancestor, i) => {
      if (nodes.has(ancestor)) covered[i] = 1;
    });
    ancestors = await view.parents(ancestors, options);
  }
  return all.filter((_, i) => covered[i] === 0).sort();
}
