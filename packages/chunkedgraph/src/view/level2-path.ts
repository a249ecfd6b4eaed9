import type { GraphView, ReadOptions } from "../contract.ts";

/**
 * A shortest chain of level-2 nodes from one node to another of the same object, each joined to the next by an active edge.
 *
 * @param start, goal supervoxels or level-2 ids
 * @param options `limit` as of {@link GraphView.level2Graph}, which is read as a whole
 * @returns level-2 ids, both ends included, a single one when they are the same; `undefined` when nothing joins them
 */
export async function level2Path(
  view: GraphView,
  start: bigint,
  goal: bigint,
  options: ReadOptions & { readonly limit?: number } = {},
): Promise<BigUint64Array | undefined> {
  const ids = BigUint64Array.of(start, goal);
  const { signal } = options;
  const reading = signal === undefined ? {} : { signal };
  const [from, to] = await view.roots(ids, { ...reading, stopLayer: 2 });
  const [root, other] = await view.roots(ids, reading);
  if (root === 0n || root !== other) return undefined;
  if (from === to) return BigUint64Array.of(from!);
  return shortestPath(await view.level2Graph(root!, options), from!, to!);
}

/** @param pairs edges as [a, b, a, b, …], in either direction */
function shortestPath(pairs: BigUint64Array, start: bigint, goal: bigint): BigUint64Array | undefined {
  const neighbours = new Map<bigint, bigint[]>();
  const join = (from: bigint, to: bigint): void => {
    const list = neighbours.get(from);
    if (list === undefined) neighbours.set(from, [to]);
    else list.push(to);
  };
  for (let i = 0; i < pairs.length; i += 2) {
    join(pairs[i]!, pairs[i + 1]!);
    join(pairs[i + 1]!, pairs[i]!);
  }
  // Breadth first from the goal, so that following the arrows from the start gives the path in order.
  const towardsGoal = new Map<bigint, bigint>([[goal, goal]]);
  for (const node of towardsGoal.keys()) {
    for (const other of neighbours.get(node) ?? []) if (!towardsGoal.has(other)) towardsGoal.set(other, node);
    if (towardsGoal.has(start)) break;
  }
  if (!towardsGoal.has(start)) return undefined;
  const path = [start];
  for (let node = start; node !== goal; ) {
    node = towardsGoal.get(node)!;
    path.push(node);
  }
  return BigUint64Array.from(path);
}
