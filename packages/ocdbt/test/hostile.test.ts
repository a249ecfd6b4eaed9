/** Trees that no writer makes: what reads, walks and upkeep do with them. */
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, Config } from "../src/format/index.ts";
import { encodeBtreeNode, encodeManifest } from "../src/format/index.ts";
import { compact, diff, fsck, type OcdbtDatabase, openOcdbt, rebuild } from "../src/index.ts";

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

describe("a node that a tree leads to more often than the root counts keys", () => {
  /** 2^60 keys in some kilobytes. */
  async function doubling(numKeys = 1n): Promise<OcdbtDatabase> {
    const nodes = new Nodes();
    let below = await nodes.add(leaf("x"), numKeys);
    for (let height = 1; height <= 60; height++) {
      below = await nodes.add(interior(["a", "b"], [1, 1], [below, below]), numKeys);
    }
    return await nodes.open([below], 20_000);
  }

  test.each<[string, (db: OcdbtDatabase) => Promise<unknown>]>([
    ["list", (db) => collect(db.list())],
    ["listLevel", (db) => collect(db.listLevel())],
    ["compact", (db) => compact(db, { liveRatio: 1 })],
    ["rebuild", (db) => rebuild(db)],
  ])("is refused by %s", async (_, walk) => {
    await expect(walk(await doubling())).rejects.toMatchObject({ ...isCorrupt, message: /again and again.*see fsck/ });
  });

  test("is refused by diff", async () => {
    const nodes = new Nodes();
    let below = await nodes.add(leaf("x"));
    const first = below;
    for (let height = 1; height <= 60; height++) below = await nodes.add(interior(["a", "b"], [1, 1], [below, below]));
    const db = await nodes.open([first, below]);
    await expect(collect(diff(db, { generation: 1n }))).rejects.toMatchObject(isCorrupt);
  });

  test("is left out by a rebuild that skips what is unreadable", async () => {
    const { keys, lostKeys } = await rebuild(await doubling(), { skipUnreadable: true });
    expect(keys).toBeGreaterThan(0);
    expect(lostKeys).toBeGreaterThan(0n);
  });

  test("does not keep a walk from being aborted when the count is hostile, too", async () => {
    const db = await doubling(2n ** 60n);
    for (const walk of [compact, rebuild]) {
      await expect(walk(db, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ name: "TimeoutError" });
    }
  });

  test("is read wherever it stands as long as the count covers it", async () => {
    const nodes = new Nodes();
    const shared = await nodes.add(leaf("x", "y"), 2n);
    const db = await nodes.open([await nodes.add(interior(["a", "b"], [1, 1], [shared, shared]), 4n)]);
    expect(await collect(db.list())).toBe(4);
    expect((await rebuild(db)).keys).toBe(4);
    expect(await collect(db.list())).toBe(4);
  });
});

describe("keys out of place", () => {
  async function parted(left: BtreeLeaf, right: BtreeLeaf, keys: [string, string]): Promise<OcdbtDatabase> {
    const nodes = new Nodes();
    const children = [
      await nodes.add(left, BigInt(left.keys.length)),
      await nodes.add(right, BigInt(right.keys.length)),
    ];
    const count = BigInt(left.keys.length + right.keys.length);
    return await nodes.open([await nodes.add(interior(keys, [0, 0], children), count)]);
  }

  test("a node that reaches into its neighbour's keys is refused", async () => {
    const db = await parted(leaf("a", "z"), leaf("n"), ["a", "n"]);
    const refusal = { ...isCorrupt, message: /reaches into its neighbour's keys/ };
    await expect(db.read("b")).rejects.toMatchObject(refusal);
    await expect(db.read("b")).rejects.toMatchObject(refusal);
    await expect(db.write("b", bytes("v"))).rejects.toMatchObject(refusal);
    await expect(collect(db.list())).rejects.toMatchObject(refusal);
    await expect(collect(db.listLevel())).rejects.toMatchObject(refusal);
    expect((await db.read("n"))?.size).toBe(1);
  });

  test("a node that begins before the key of its entry is refused", async () => {
    const db = await parted(leaf("a"), leaf("b", "q"), ["a", "n"]);
    const refusal = { ...isCorrupt, message: /begins before the key/ };
    await expect(db.read("q")).rejects.toMatchObject(refusal);
    await expect(collect(db.list())).rejects.toMatchObject(refusal);
  });

  test("a grandchild that reaches into the keys of its parent's neighbour is refused by lists", async () => {
    const nodes = new Nodes();
    const left = await nodes.add(interior(["a"], [0], [await nodes.add(leaf("a", "z"), 2n)]), 2n);
    const right = await nodes.add(interior(["n"], [0], [await nodes.add(leaf("n"))]));
    const db = await nodes.open([await nodes.add(interior(["a", "n"], [0, 0], [left, right]), 3n)]);
    const refusal = { ...isCorrupt, message: /keys that belong before it/ };
    await expect(collect(db.list())).rejects.toMatchObject(refusal);
  });

  test("keys that grow too long on the way down are refused, and fsck tells of them", async () => {
    const nodes = new Nodes();
    const long = "p".repeat(40_000);
    let below = await nodes.add(leaf("x"));
    for (let height = 1; height <= 2; height++) below = await nodes.add(interior([long], [long.length], [below]));
    const db = await nodes.open([below]);
    const refusal = { ...isCorrupt, message: /a key has 80000 bytes|a key has 80001 bytes/ };
    await expect(collect(db.list())).rejects.toMatchObject(refusal);
    await expect(compact(db, { liveRatio: 1 })).rejects.toMatchObject(refusal);
    const { findings, isSound } = await fsck(db);
    expect(isSound).toBe(false);
    expect(findings.find(({ code }) => code === "node-misplaced")?.message).toMatch(/bytes long/);
  });
});
