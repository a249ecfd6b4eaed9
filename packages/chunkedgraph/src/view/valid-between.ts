import type { GraphView, ReadOptions } from "../contract.ts";

/**
 * Which ids (of any layer) belonged to the graph at some moment from one view's time to another's, both included (1),
 * or not (0): those that had begun by `last` and were not superseded before `first`. A node is superseded with the
 * root it hangs below. When `last` is earlier than `first`, none.
 */
export async function validBetween(
  first: GraphView,
  last: GraphView,
  ids: BigUint64Array,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  if (last.time < first.time) return new Uint8Array(ids.length);
  const valid = await last.exist(ids, options);
  const roots = await first.roots(ids, options);
  const latest = await first.isLatest(roots, options);
  // Without a root at `first` it began later, if at all.
  for (let i = 0; i < ids.length; i++) if (roots[i] !== 0n && latest[i] === 0) valid[i] = 0;
  return valid;
}
