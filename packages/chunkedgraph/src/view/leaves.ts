import type { Box } from "@pcg/volume";
import type { Time } from "../contract.ts";
import { type ChunkCoords, layerOf } from "../ids.ts";
import type { ViewContext } from "./context.ts";
import { requireWithin } from "./limit.ts";
import { readChildren } from "./node-reader.ts";

/** Rows read at once on the way down; bounds what is in flight, not the answer. */
const NODES_PER_READ = 8192;

/**
 * The nodes that stand for the given ones on `stopLayer`: descendants of that layer, and lower ones whose parent is
 * above it. With a box only those in chunks that overlap it. In no order; the ids must have existed at `time`. More than
 * `limit`: GraphError `too-large`.
 */
export async function descend(
  context: ViewContext,
  ids: BigUint64Array,
  stopLayer: number,
  time: Time,
  options: {
    readonly box?: Box | undefined;
    readonly limit?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<BigUint64Array> {
  const inBox = chunkFilter(context, options.box);
  const result: BigUint64Array[] = [];
  const open: BigUint64Array[] = [];
  let count = 0;
  const sort = (nodes: BigUint64Array): void => {
    const kept = inBox === undefined ? nodes : nodes.filter(inBox);
    const leaves = kept.filter((id) => layerOf(id) <= stopLayer);
    if (leaves.length > 0) result.push(leaves);
    count += leaves.length;
    requireWithin(options.limit, count, stopLayer === 1 ? "supervoxels" : `nodes on layer ${stopLayer}`);
    if (leaves.length === kept.length) return;
    const inner = leaves.length === 0 ? kept : kept.filter((id) => layerOf(id) > stopLayer);
    for (let i = 0; i < inner.length; i += NODES_PER_READ) open.push(inner.subarray(i, i + NODES_PER_READ));
  };
  sort(ids);
  while (open.length > 0) {
    const batch: BigUint64Array[] = [];
    for (let nodes = 0; open.length > 0 && nodes < NODES_PER_READ; ) {
      const part = open.pop()!;
      batch.push(part);
      nodes += part.length;
    }
    const found = await readChildren(context.rows, concatenate(batch).sort(), time, { signal: options.signal });
    sort(concatenate(Array.from(found.values(), (node) => node.children)));
  }
  return concatenate(result);
}

/** Whether an id's chunk overlaps the box. */
function chunkFilter(context: ViewContext, box: Box | undefined): ((id: bigint) => boolean) | undefined {
  if (box === undefined) return undefined;
  const { grid, layout } = context;
  const ranges: { readonly begin: ChunkCoords; readonly end: ChunkCoords }[] = [];
  for (let layer = 1; layer <= layout.layers; layer++) ranges[layer] = grid.chunkRange(box, layer);
  return (id) => {
    const { begin, end } = ranges[layerOf(id)]!;
    const [x, y, z] = layout.coordsOf(id);
    return x >= begin[0] && x < end[0] && y >= begin[1] && y < end[1] && z >= begin[2] && z < end[2];
  };
}

export function concatenate(parts: readonly BigUint64Array[]): BigUint64Array {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new BigUint64Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
