import type { BtreeNode, DataFileId, VersionNode } from "../format/types.ts";

/** Memory of a decoded node, bytes: what its columns share with other things counts in full, as it cannot be freed before. */
export function nodeBytes(node: BtreeNode | VersionNode): number {
  if ("versions" in node) return 400 * node.versions.length;
  if ("arityLog2" in node) return 400 * node.children.length;
  const { bytes, offsets, length } = node.keys;
  const keys = bytes.buffer.byteLength + offsets.buffer.byteLength;
  if ("children" in node) return keys + 46 * length + tableBytes(node.children.columns.files);
  return keys + 20 * length + node.inline.buffer.byteLength + tableBytes(node.files);
}

function tableBytes(files: readonly DataFileId[]): number {
  let characters = 0;
  for (const { basePath, relativePath } of files) characters += basePath.length + relativePath.length;
  return 150 * files.length + characters;
}
