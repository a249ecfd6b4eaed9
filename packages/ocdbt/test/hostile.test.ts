/** Trees that no writer makes: what reads, walks and upkeep do with them. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import type { BtreeInterior, BtreeLeaf, BtreeNode, BtreeNodeReference, Config } from "../src/format/index.ts";
import {
  ChildColumn,
  decodeBtreeNode,
  encodeBtreeNode,
  encodeManifest,
  encodeVersionNode,
} from "../src/format/index.ts";
import {
  compact,
  diff,
  fsck,
  type OcdbtDatabase,
  type OpenOptions,
  openOcdbt,
  rebuild,
  versions,
} from "../src/index.ts";
import { nodeBytes } from "../src/io/node-bytes.ts";
import { TreeWalk } from "../src/view/tree-walk.ts";

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
    children: ChildColumn.of(children[0]!.height, children),
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
    return this.addBytes(await encodeBtreeNode(node, { compression: null }), node, numKeys);
  }

  addBytes(encoded: Uint8Array, node: BtreeNode, numKeys?: bigint): BtreeNodeReference {
    this.#parts.push(encoded);
    this.#end += encoded.length;
    return reference(this.#end - encoded.length, encoded.length, node.height, numKeys);
  }

  /** @param options `unused`: bytes behind the nodes */
  async open(
    roots: readonly BtreeNodeReference[],
    { unused = 0, ...options }: OpenOptions & { readonly unused?: number } = {},
  ): Promise<OcdbtDatabase> {
    const store = memoryKvStore();
    await store.write(file.relativePath, new Uint8Array(Buffer.concat([...this.#parts, new Uint8Array(unused)])));
    await writeManifest(store, roots);
    return await openOcdbt(store, { create: false, ...options });
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
    return await nodes.open([below], { unused: 20_000 });
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
    await expect(db.write("a", bytes("v"))).rejects.toMatchObject(refusal);
    const { findings, isSound } = await fsck(db);
    expect(isSound).toBe(false);
    expect(findings.find(({ code }) => code === "node-misplaced")?.message).toMatch(/bytes long/);
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that are in use outside and inside the heap. */
function liveBytes(): number {
  collectGarbage();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

/** How many objects lead from `value` on, and the bytes of the buffers among them. */
function reachable(value: unknown, seen: Set<unknown> = new Set()): { objects: number; bytes: number } {
  if (typeof value !== "object" || value === null || seen.has(value)) return { objects: 0, bytes: 0 };
  seen.add(value);
  if (value instanceof ArrayBuffer) return { objects: 1, bytes: value.byteLength };
  const below = ArrayBuffer.isView(value) ? [value.buffer] : Object.values(value);
  const sum = { objects: 1, bytes: 0 };
  for (const part of below) {
    const { objects, bytes } = reachable(part, seen);
    sum.objects += objects;
    sum.bytes += bytes;
  }
  return sum;
}

describe("nodes of some kilobytes that decompress to many MiB", () => {
  const MiB = 2 ** 20;
  const leaves = 24;
  const bombBytes = 8 * MiB;

  /** 192 MiB in leaves of 8 MiB each; the cache has room for two. */
  async function bombs(): Promise<OcdbtDatabase> {
    const count = bombBytes / MiB;
    const bomb: BtreeLeaf = {
      ...leaf(...Array.from({ length: count }, (_, i) => String.fromCharCode(i))),
      valueLengths: new Float64Array(count).fill(MiB),
      valueOffsets: Float64Array.from({ length: count }, (_, i) => i * MiB),
      inline: new Uint8Array(bombBytes),
    };
    const encoded = await encodeBtreeNode(bomb, { compression: { id: "zstd", level: 1 } });
    expect(encoded.length).toBeLessThan(10_000);
    const nodes = new Nodes();
    const keys = Array.from({ length: leaves }, (_, i) => String.fromCharCode(i));
    const children = keys.map(() => nodes.addBytes(encoded, bomb, BigInt(count)));
    const ones = keys.map(() => 1);
    const numKeys = BigInt(count * leaves);
    const root = await nodes.add(interior(keys, ones, children), numKeys);
    const other = await nodes.add(interior(keys, ones, [...children.slice(1), children[0]!]), numKeys);
    return await nodes.open([root, other], { cacheBytes: 2 * bombBytes, decodeBytes: 2 * bombBytes });
  }

  test.each<[string, (db: OcdbtDatabase) => Promise<unknown>]>([
    [
      "reads of all at once",
      (db) => Promise.all(Array.from({ length: leaves }, (_, i) => db.read(`${String.fromCharCode(i)}\x00`))),
    ],
    ["a list", (db) => collect(db.list())],
    ["diff", (db) => collect(diff(db, { generation: 1n }))],
    ["fsck", (db) => fsck(db)],
  ])("are in memory a few at a time: %s", async (_, work) => {
    const db = await bombs();
    const before = liveBytes();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, liveBytes());
    }, 1);
    await work(db);
    clearInterval(watch);
    expect(most).toBeGreaterThan(0);
    expect(most - before).toBeLessThan((leaves * bombBytes) / 2);
  });
});

test("an interior node takes at most 50 bytes an entry beside its keys, and the cache counts them", async () => {
  const count = 2 ** 18;
  const bytes = new Uint8Array(3 * count);
  const offsets = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    bytes.set([i >> 16, i >> 8, i], 3 * i);
    offsets[i + 1] = 3 * (i + 1);
  }
  const stored = await encodeBtreeNode(
    {
      height: 1,
      keys: { length: count, bytes, offsets },
      subtreePrefixLengths: new Uint16Array(count),
      children: ChildColumn.of(0, new Array(count).fill(reference(0, 10, 0))),
    },
    { compression: { id: "zstd", level: 1 } },
  );
  expect(stored.length).toBeLessThan(count);
  const node = await decodeBtreeNode(stored);
  expect(node.keys.length).toBe(count);
  const taken = reachable(node);
  expect(taken.objects).toBeLessThan(40);
  expect(taken.bytes).toBeLessThanOrEqual((50 + 3) * count + 100);
  expect(nodeBytes(node) / taken.bytes).toBeCloseTo(1, 2);
});

test("a way down through nodes that together take too much memory is refused", async () => {
  const root = reference(0, 10, 255);
  const walk = new TreeWalk(root);
  const wide = (height: number): BtreeInterior => {
    const node = interior(["a"], [0], [reference(0, 10, height - 1)]);
    return { ...node, keys: { ...node.keys, bytes: new Uint8Array(100 << 20) } };
  };
  for (let height = 20; height > 15; height--) await walk.visit(reference(0, 10, height), wide(height), 0);
  // A neighbour takes the place of what was below it.
  await walk.visit(reference(0, 10, 18), wide(18), 0);
  await walk.visit(reference(0, 10, 17), wide(17), 0);
  await walk.visit(reference(0, 10, 16), wide(16), 0);
  await expect(walk.visit(reference(0, 10, 15), wide(15), 0)).rejects.toMatchObject({
    code: "too-large",
    message: /the nodes from the root to this one take/,
  });
});

test("a node said to be larger than any can be is refused unread", async () => {
  const nodes = new Nodes();
  await nodes.add(leaf("a"));
  const db = await nodes.open([reference(0, 2 ** 40, 0)]);
  await expect(db.read("a")).rejects.toMatchObject({
    code: "too-large",
    message: /a node has at most 268435456 bytes/,
  });
  expect((await fsck(db)).isSound).toBe(false);
});

test("a version node of another arity than its manifest's is refused wherever it is followed", async () => {
  const store = memoryKvStore();
  const nodes = new Nodes();
  const root = await nodes.add(leaf("a"));
  const version = (generation: bigint) => ({ generation, root, commitTime: generation });
  const below = { generation: 16n, numGenerations: 1n, commitTime: 13n, height: 0, arityLog2: 2 };
  const parts: Uint8Array[] = [];
  let offset = 0;
  const put = (encoded: Uint8Array) => {
    parts.push(encoded);
    const location = { file: { basePath: "", relativePath: `d/${"2".repeat(32)}` }, offset, length: encoded.length };
    offset += encoded.length;
    return location;
  };
  const leafPlace = put(await encodeVersionNode({ arityLog2: 2, height: 0, versions: [version(16n)] }, null));
  const child = { ...below, location: leafPlace };
  const place = put(await encodeVersionNode({ arityLog2: 2, height: 1, children: [child] }, null));
  await store.write(`d/${"2".repeat(32)}`, new Uint8Array(Buffer.concat(parts)));
  const top = { ...below, commitTime: 13n, location: place, height: 1, arityLog2: config.versionTreeArityLog2 };
  await store.write("manifest.ocdbt", await encodeManifest({ config, versions: [version(17n)], versionNodes: [top] }));
  const db = await openOcdbt(store, { create: false });
  const refusal = { ...isCorrupt, message: /arity 2\^2, but 2\^4/ };
  await expect(db.at({ generation: 16n })).rejects.toMatchObject(refusal);
  await expect(db.at({ time: 16n })).rejects.toMatchObject(refusal);
  await expect(db.at({ ancestor: 1 })).rejects.toMatchObject(refusal);
  await expect(collect(versions(db))).rejects.toMatchObject(refusal);
});
