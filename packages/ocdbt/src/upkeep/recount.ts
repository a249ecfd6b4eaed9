/**
 * A tree with exact statistics: nodes whose references to their children count wrongly are written anew, with all nodes above.
 * @module
 */
import {
  type BtreeNode,
  type BtreeNodeReference,
  ChildColumnBuilder,
  type Config,
  encodeBtreeNode,
  NO_STATISTICS,
  nodeStatistics,
  sameStatistics,
} from "../format/index.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";

export interface RecountContext {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  readonly config: Pick<Config, "compression">;
  readonly signal?: AbortSignal;
}

/** The reference as it should be; the very same when it is right. Reads the whole tree. */
export async function recount(reference: BtreeNodeReference, context: RecountContext): Promise<BtreeNodeReference> {
  const { nodes, writer, config, signal } = context;
  const { location } = reference;
  if (location === undefined) return corrected({ ...reference, height: 0 }, NO_STATISTICS);
  signal?.throwIfAborted();
  const node = await nodes.btreeNode(reference, context);
  if (!("children" in node)) return corrected(reference, nodeStatistics(node, location.length));
  const children = new ChildColumnBuilder(node.height - 1);
  let isRight = true;
  for (const child of node.children) {
    const counted = await recount(child, context);
    if (counted !== child) isRight = false;
    children.add(counted);
  }
  if (isRight) return corrected(reference, nodeStatistics(node, location.length));
  const rewritten: BtreeNode = { ...node, children: children.finish() };
  const bytes = await encodeBtreeNode(rewritten, { compression: config.compression });
  return {
    location: writer.append(bytes, "btree"),
    height: reference.height,
    statistics: nodeStatistics(rewritten, bytes.length),
  };
}

function corrected(reference: BtreeNodeReference, statistics: BtreeNodeReference["statistics"]): BtreeNodeReference {
  return sameStatistics(reference.statistics, statistics) ? reference : { ...reference, statistics };
}
