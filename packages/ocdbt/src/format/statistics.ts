/**
 * What a subtree holds, kept exactly in every reference: u64 that stop at their largest value instead of wrapping.
 * @module
 */
import type { U64Column } from "./child-column.ts";
import type { BtreeNode, NodeStatistics } from "./types.ts";

const MAX_U64 = (1n << 64n) - 1n;

export const NO_STATISTICS: NodeStatistics = { numKeys: 0n, numTreeBytes: 0n, numIndirectValueBytes: 0n };

export function addStatistics(a: NodeStatistics, b: NodeStatistics): NodeStatistics {
  return {
    numKeys: saturate(a.numKeys + b.numKeys),
    numTreeBytes: saturate(a.numTreeBytes + b.numTreeBytes),
    numIndirectValueBytes: saturate(a.numIndirectValueBytes + b.numIndirectValueBytes),
  };
}

export function sameStatistics(a: NodeStatistics, b: NodeStatistics): boolean {
  return (
    a.numKeys === b.numKeys && a.numTreeBytes === b.numTreeBytes && a.numIndirectValueBytes === b.numIndirectValueBytes
  );
}

/** Statistics of the subtree under a node that holds the entries `start … end` of `node` in `encodedBytes`. */
export function nodeStatistics(
  node: BtreeNode,
  encodedBytes: number,
  start = 0,
  end: number = node.keys.length,
): NodeStatistics {
  const own: NodeStatistics = { ...NO_STATISTICS, numTreeBytes: BigInt(encodedBytes) };
  if ("children" in node) {
    const { numKeys, numTreeBytes, numIndirectValueBytes } = node.children.columns;
    return addStatistics(own, {
      numKeys: sumOf(numKeys, start, end),
      numTreeBytes: sumOf(numTreeBytes, start, end),
      numIndirectValueBytes: sumOf(numIndirectValueBytes, start, end),
    });
  }
  // Lengths are below 2^53 each, so the sum is carried in two parts.
  let low = 0;
  let high = 0n;
  for (let i = start; i < end; i++) {
    if (node.valueFiles[i]! < 0) continue;
    low += node.valueLengths[i]!;
    if (low >= 2 ** 52) {
      high += BigInt(low);
      low = 0;
    }
  }
  return { ...own, numKeys: BigInt(end - start), numIndirectValueBytes: saturate(high + BigInt(low)) };
}

function sumOf(column: U64Column, start: number, end: number): bigint {
  let sum = 0n;
  for (let i = start; i < end; i++) sum += BigInt(column[i]!);
  return sum;
}

function saturate(value: bigint): bigint {
  return value > MAX_U64 ? MAX_U64 : value;
}
