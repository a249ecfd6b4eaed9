import type { Time } from "../contract.ts";
import { halves } from "../ids.ts";
import type { ViewContext } from "./context.ts";
import { IdIndex } from "./id-table.ts";
import { requireWithin } from "./limit.ts";
import { readNodes } from "./node-reader.ts";

const NODES_PER_READ = 4096;

/**
 * Pairs of the given level-2 ids (distinct, ascending) that an active edge joins: smaller id first, ordered, distinct.
 * Read from the nodes' cross edges, which are exact at every time.
 */
export async function level2Pairs(
  context: ViewContext,
  nodes: BigUint64Array,
  time: Time,
  { limit, signal }: { readonly limit?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<BigUint64Array> {
  const index = new IdIndex(nodes);
  const pairs: bigint[] = [];
  for (let i = 0; i < nodes.length; i += NODES_PER_READ) {
    const records = await readNodes(context.rows, nodes.subarray(i, i + NODES_PER_READ), time, { signal });
    for (const { id, cross } of records.values()) {
      const partners = new Set<bigint>();
      for (const ids of cross.values()) {
        const half = halves(ids);
        for (let k = 0; k < ids.length; k++)
          if (ids[k]! > id && index.of(half[2 * k]!, half[2 * k + 1]!) >= 0) partners.add(ids[k]!);
      }
      for (const partner of [...partners].sort(ascending)) pairs.push(id, partner);
      requireWithin(limit, pairs.length / 2, "edges between level-2 nodes");
    }
  }
  return BigUint64Array.from(pairs);
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
