import type { BtreeNodeReference } from "../format/types.ts";
import { fileName } from "../io/node-reader.ts";
import type { NodeReader } from "../parts.ts";

/**
 * Which of a commit's own files the tree needs. Only nodes in such files are looked at: what was there before the commit
 * cannot refer to them.
 */
export async function ownFilesInUse(
  root: BtreeNodeReference,
  own: ReadonlySet<string>,
  nodes: NodeReader,
): Promise<ReadonlySet<string>> {
  const used = new Set<string>();
  const visit = async (reference: BtreeNodeReference): Promise<void> => {
    if (reference.location === undefined || !own.has(fileName(reference.location.file))) return;
    used.add(fileName(reference.location.file));
    const node = await nodes.btreeNode(reference);
    if ("children" in node) {
      await Promise.all(Array.from(node.children, visit));
      return;
    }
    const { files, valueFiles } = node;
    for (const index of new Set(valueFiles)) {
      if (index >= 0 && own.has(fileName(files[index]!))) used.add(fileName(files[index]!));
    }
  };
  await visit(root);
  return used;
}
