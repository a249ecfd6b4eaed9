/**
 * Where a row of entries is parted into nodes: by the estimate and the rule of TensorStore, so that both make trees of the
 * same shape. Any other split could be read as well.
 * @module
 */
import { encodeBtreeNode, MAX_NODE_ENTRIES } from "./btree-node.ts";
import { commonPrefix, keyAt } from "./key-column.ts";
import { nodeStatistics } from "./statistics.ts";
import type { BtreeNode, Config, DataFileId, NodeStatistics } from "./types.ts";

/**
 * The ends of the nodes that the entries of `node` are parted into: node `k` holds entries `ends[k − 1]` (0 for the first)
 * to `ends[k]`. `maxDecodedNodeBytes` 0 asks for no split but that of the most entries a node can have.
 */
export function splitNode(node: BtreeNode, maxDecodedNodeBytes: number): number[] {
  const count = node.keys.length;
  const least = node.height === 0 ? 1 : 2;
  const cumulative = entrySizes(node);
  const shared = leastSharedPrefix(node);
  const ends: number[] = [];
  let start = 0;
  while (start < count) {
    const size = (end: number): number => cumulative[end]! - cumulative[start]! - (end - start - 1) * shared;
    const rest = size(count);
    const bySize = maxDecodedNodeBytes === 0 ? 1 : Math.ceil(rest / maxDecodedNodeBytes);
    const nodes = Math.max(bySize, Math.ceil((count - start) / MAX_NODE_ENTRIES));
    const target = Math.ceil(rest / nodes);
    const last = Math.min(count, start + MAX_NODE_ENTRIES);
    let end = start + 1;
    for (; end < last; end++) {
      const bytes = size(end);
      if (bytes < target || end < start + least) continue;
      if (maxDecodedNodeBytes !== 0 && bytes > maxDecodedNodeBytes && end > start + least) end--;
      break;
    }
    ends.push(end);
    start = end;
  }
  return ends;
}

/** Sums of the estimated decoded sizes before each entry, and of all. */
function entrySizes(node: BtreeNode): Float64Array {
  const { keys } = node;
  const cumulative = new Float64Array(keys.length + 1);
  const pathLengths = ("files" in node ? node.files : node.children.columns.files).map(pathLength);
  for (let i = 0; i < keys.length; i++) {
    let size = keys.offsets[i + 1]! - keys.offsets[i]!;
    if ("children" in node) {
      size += 56 + pathLengths[node.children.columns.fileIndices[i]!]!;
    } else {
      const file = node.valueFiles[i]!;
      size += 16 + (file < 0 ? node.valueLengths[i]! : 16 + pathLengths[file]!);
    }
    cumulative[i + 1] = cumulative[i]! + size;
  }
  return cumulative;
}

function pathLength(file: DataFileId): number {
  return file.basePath.length + file.relativePath.length;
}

/** Bytes that all keys of the row begin with. */
function leastSharedPrefix(node: BtreeNode): number {
  return commonPrefix(node.keys, 0, node.keys.length - 1);
}

/** Leading bytes that a node of the entries `start … end` leaves out of its keys, unless it is the root. */
export function excludedPrefix(node: BtreeNode, start: number, end: number): number {
  let excluded = commonPrefix(node.keys, start, end - 1);
  if ("children" in node) {
    for (let i = start; i < end; i++) excluded = Math.min(excluded, node.subtreePrefixLengths[i]!);
  }
  return excluded;
}

/** A node ready to be stored, and what its parent's entry says of it. */
export interface EncodedNode {
  readonly bytes: Uint8Array;
  readonly height: number;
  /** First key, with all its bytes. */
  readonly firstKey: Uint8Array;
  /** Leading bytes of the keys that the node leaves out; 0 of a root. */
  readonly excluded: number;
  /** Of the whole subtree, this node included. */
  readonly statistics: NodeStatistics;
}

/**
 * Parts `node` (its keys complete) and encodes the parts.
 * @param options.mayBeRoot whether a single part becomes the root, which leaves nothing out.
 */
export async function encodeNodes(
  node: BtreeNode,
  config: Pick<Config, "maxDecodedNodeBytes" | "compression">,
  options: { readonly mayBeRoot: boolean },
): Promise<EncodedNode[]> {
  const ends = splitNode(node, config.maxDecodedNodeBytes);
  const isRoot = options.mayBeRoot && ends.length === 1;
  const encoded: EncodedNode[] = [];
  let start = 0;
  for (const end of ends) {
    const excluded = isRoot ? 0 : excludedPrefix(node, start, end);
    const bytes = await encodeBtreeNode(node, { compression: config.compression, start, end, excluded });
    const statistics = nodeStatistics(node, bytes.length, start, end);
    encoded.push({ bytes, height: node.height, firstKey: keyAt(node.keys, start), excluded, statistics });
    start = end;
  }
  return encoded;
}
