/**
 * The shortest path between two level-2 nodes along the edges of their object's level-2 graph.
 *
 * @param pairs edges as [a, b, a, b, …], in either direction
 * @returns the ids from `start` to `goal`, both included; `undefined` when they are not connected
 */
export function shortestPath(pairs: BigUint64Array, start: bigint, goal: bigint): BigUint64Array | undefined {
  if (start === goal) return BigUint64Array.of(start);
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
    for (const other of neighbours.get(node) ?? []) {
      if (!towardsGoal.has(other)) towardsGoal.set(other, node);
    }
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
