/**
 * Rows of entries, with complete keys, cut into nodes as they are stored.
 * @module
 */
import { encodeBtreeNode, excludedPrefix, keyAt, nodeStatistics, splitNode } from "../format/index.ts";
import type { BtreeNode, BtreeNodeReference, Config, KeyColumn } from "../format/types.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";
import type { WrittenSubtree } from "./written-subtrees.ts";

export interface NodeSink {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  readonly config: Pick<Config, "maxDecodedNodeBytes" | "compression">;
}

/**
 * Appends the nodes of a row to the data file. They stay in memory as well: whoever commits next most often begins with them.
 *
 * @param mayBeRoot whether a row that is one node becomes the root, whose keys are stored complete.
 */
export async function writeRow(row: BtreeNode, mayBeRoot: boolean, sink: NodeSink): Promise<WrittenSubtree[]> {
  const { nodes, writer, config } = sink;
  const { compression } = config;
  const ends = splitNode(row, config.maxDecodedNodeBytes);
  const written: WrittenSubtree[] = [];
  let start = 0;
  for (const end of ends) {
    const excluded = mayBeRoot && ends.length === 1 ? 0 : excludedPrefix(row, start, end);
    const bytes = await encodeBtreeNode(row, { compression, start, end, excluded });
    const location = writer.append(bytes, "btree");
    const statistics = nodeStatistics(row, bytes.length, start, end);
    const reference: BtreeNodeReference = { location, height: row.height, statistics };
    nodes.keep(reference, cut(row, start, end, excluded));
    written.push({ key: keyAt(row.keys, start), excluded, reference });
    start = end;
  }
  return written;
}

/** Entries `start … end` as decoding their node would give them. Nothing is shared with the row but files and references. */
function cut(row: BtreeNode, start: number, end: number, excluded: number): BtreeNode {
  const keys = cutKeys(row.keys, start, end, excluded);
  if ("children" in row) {
    const subtreePrefixLengths = row.subtreePrefixLengths.slice(start, end);
    if (excluded > 0) for (let i = 0; i < subtreePrefixLengths.length; i++) subtreePrefixLengths[i]! -= excluded;
    return { height: row.height, keys, subtreePrefixLengths, children: row.children.slice(start, end) };
  }
  const valueFiles = row.valueFiles.slice(start, end);
  const valueLengths = row.valueLengths.slice(start, end);
  const valueOffsets = row.valueOffsets.slice(start, end);
  // Inline values of a run of entries lie behind one another.
  let from = -1;
  let bytes = 0;
  for (let i = 0; i < valueFiles.length; i++) {
    if (valueFiles[i]! >= 0) continue;
    if (from < 0) from = valueOffsets[i]!;
    valueOffsets[i] = bytes;
    bytes += valueLengths[i]!;
  }
  const inline = from < 0 ? new Uint8Array(0) : row.inline.slice(from, from + bytes);
  return { height: 0, keys, files: row.files, valueLengths, valueFiles, valueOffsets, inline };
}

function cutKeys(keys: KeyColumn, start: number, end: number, excluded: number): KeyColumn {
  const length = end - start;
  const offsets = new Uint32Array(length + 1);
  const bytes = new Uint8Array(keys.offsets[end]! - keys.offsets[start]! - length * excluded);
  let at = 0;
  for (let i = 0; i < length; i++) {
    const from = keys.offsets[start + i]! + excluded;
    const to = keys.offsets[start + i + 1]!;
    for (let k = from; k < to; k++) bytes[at++] = keys.bytes[k]!;
    offsets[i + 1] = at;
  }
  return { length, bytes, offsets };
}
