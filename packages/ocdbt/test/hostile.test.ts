/** Trees that no writer makes: what reads, walks and upkeep do with them. */
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, Config } from "../src/format/index.ts";
import { encodeBtreeNode, encodeManifest } from "../src/format/index.ts";
import { type OcdbtDatabase, openOcdbt } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const file = { basePath: "", relativePath: `d/${"1".repeat(32)}` };
const config: Config = {
  uuid: "00".repeat(16),
  manifestKind: "single",
  maxInlineValueBytes: 100,
  maxDecodedNodeBytes: 1000,
  versionTreeArityLog2: 4,
  compression: null,
};

function column(keys: readonly string[]): BtreeNode["keys"] {
  const offsets = new Uint32Array(keys.length + 1);
  for (const [i, key] of keys.entries()) offsets[i + 1] = offsets[i]! + key.length;
  return { length: keys.length, bytes: bytes(keys.join("")), offsets };
}

function leaf(...keys: string[]): BtreeLeaf {
  return {
    height: 0,
    keys: column(keys),
    files: [],
    valueLengths: new Float64Array(keys.length).fill(1),
    valueFiles: new Int32Array(keys.length).fill(-1),
    valueOffsets: Float64Array.from(keys, (_, i) => i),
    inline: new Uint8Array(keys.length),
  };
}

function interior(keys: readonly string[], shared: readonly number[], children: BtreeNodeReference[]): BtreeInterior {
  return {
    height: children[0]!.height + 1,
    keys: column(keys),
    subtreePrefixLengths: Uint16Array.from(shared),
    children,
  };
}

function reference(offset: number, length: number, height: number, numKeys = 1n): BtreeNodeReference {
  const statistics = { numKeys, numTreeBytes: 1n, numIndirectValueBytes: 0n };
  return { location: { file, offset, length }, height, statistics };
}

/** Nodes behind one another in one file. */
class Nodes {
  readonly #parts: Uint8Array[] = [];
  #end = 0;

  async add(node: BtreeNode, numKeys?: bigint): Promise<BtreeNodeReference> {
    const encoded = await encodeBtreeNode(node, { compression: null });
    this.#parts.push(encoded);
    this.#end += encoded.length;
    return reference(this.#end - encoded.length, encoded.length, node.height, numKeys);
  }

  /** @param unused bytes behind the nodes */
  async open(roots: readonly BtreeNodeReference[], unused = 0): Promise<OcdbtDatabase> {
    const store = memoryKvStore();
    await store.write(file.relativePath, new Uint8Array(Buffer.concat([...this.#parts, new Uint8Array(unused)])));
    await writeManifest(store, roots);
    return await openOcdbt(store, { create: false });
  }
}

async function writeManifest(store: KvStore, roots: readonly BtreeNodeReference[]): Promise<void> {
  const versions = roots.map((root, i) => ({ generation: BigInt(i + 1), root, commitTime: BigInt(i + 1) }));
  await store.write("manifest.ocdbt", await encodeManifest({ config, versions, versionNodes: [] }));
}

async function collect(list: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of list) count++;
  return count;
}

const isCorrupt = { name: "OcdbtError", code: "corrupt" };

describe("a node that refers to itself", () => {
  async function selfReferring(): Promise<OcdbtDatabase> {
    const { length } = await encodeBtreeNode(interior([""], [0], [reference(0, 90, 0)]), { compression: null });
    const nodes = new Nodes();
    return await nodes.open([await nodes.add(interior([""], [0], [reference(0, length, 0)]))]);
  }

  test("is refused by reads, from the store and from memory", async () => {
    const db = await selfReferring();
    await expect(db.read("a")).rejects.toMatchObject(isCorrupt);
    await expect(db.read("a")).rejects.toMatchObject(isCorrupt);
    await expect(collect(db.list())).rejects.toMatchObject(isCorrupt);
  });

  test("is refused by writes", async () => {
    const db = await selfReferring();
    await expect(db.write("k", bytes("v"))).rejects.toMatchObject(isCorrupt);
  });
});
