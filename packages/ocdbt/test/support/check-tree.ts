import { compareKeys } from "@pcg/kvstore";
import type { BtreeNodeReference, OcdbtDatabase, VersionEntry } from "../../src/index.ts";
import { childPrefix, fullKey } from "../../src/view/leaf-runs.ts";

/** Reads a whole tree and throws unless order, bounds, heights and statistics are exact. @returns its keys */
export async function checkTree(db: OcdbtDatabase, { root }: VersionEntry): Promise<Uint8Array[]> {
  const keys: Uint8Array[] = [];
  if (root.location === undefined) {
    if (root.height !== 0 || root.statistics.numKeys !== 0n) throw new Error("the empty tree claims to hold something");
    return keys;
  }
  await visit(db, root, new Uint8Array(0), undefined, undefined, keys);
  for (let i = 1; i < keys.length; i++) {
    if (compareKeys(keys[i - 1]!, keys[i]!) >= 0) throw new Error(`key ${i} is not above the one before`);
  }
  return keys;
}

async function visit(
  db: OcdbtDatabase,
  reference: BtreeNodeReference,
  prefix: Uint8Array,
  low: Uint8Array | undefined,
  high: Uint8Array | undefined,
  keys: Uint8Array[],
): Promise<void> {
  const node = await db.parts.nodes.btreeNode(reference);
  const before = keys.length;
  let numTreeBytes = BigInt(reference.location!.length);
  let numIndirectValueBytes = 0n;
  for (let i = 0; i < node.keys.length; i++) {
    const key = fullKey(node.keys, i, prefix);
    if ((low && compareKeys(key, low) < 0) || (high && compareKeys(key, high) >= 0))
      throw new Error("a key out of bounds");
    if (!("children" in node)) {
      keys.push(key);
      if (node.valueFiles[i]! >= 0) numIndirectValueBytes += BigInt(node.valueLengths[i]!);
      continue;
    }
    const child = node.children.at(i);
    const end = i + 1 < node.keys.length ? fullKey(node.keys, i + 1, prefix) : high;
    await visit(db, child, childPrefix(node, i, prefix), key, end, keys);
    numTreeBytes += child.statistics.numTreeBytes;
    numIndirectValueBytes += child.statistics.numIndirectValueBytes;
  }
  const found = { numKeys: BigInt(keys.length - before), numTreeBytes, numIndirectValueBytes };
  for (const name of ["numKeys", "numTreeBytes", "numIndirectValueBytes"] as const) {
    if (found[name] !== reference.statistics[name]) {
      throw new Error(`height ${node.height}: ${name} is ${found[name]}, but ${reference.statistics[name]} is claimed`);
    }
  }
}
