/** A history of 10^5 versions, made node by node, as that many commits would have. */
import { type KvStore, memoryKvStore, withCounters } from "@pcg/kvstore";
import { beforeAll, expect, test } from "vitest";
import {
  type BtreeNodeReference,
  type Config,
  encodeManifest,
  encodeNodes,
  encodeVersionNode,
  type IndirectReference,
  LeafBuilder,
  manifestReferenceRanges,
  type VersionEntry,
  type VersionNode,
  type VersionNodeReference,
} from "../src/format/index.ts";
import { log, openOcdbt, versions } from "../src/index.ts";

const count = 100_000;
const arityLog2 = 4;
const file = { basePath: "", relativePath: `d/${"a".repeat(32)}` };
const start = 1_700_000_000_000_000_000n;
const second = 1_000_000_000n;
const config: Config = {
  uuid: "ab".repeat(16),
  manifestKind: "single",
  maxInlineValueBytes: 100,
  maxDecodedNodeBytes: 65_536,
  versionTreeArityLog2: arityLog2,
  compression: null,
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
let store: KvStore;

beforeAll(async () => {
  const parts: Uint8Array[] = [];
  let end = 0;
  const put = (part: Uint8Array): IndirectReference => {
    parts.push(part);
    end += part.length;
    return { file, offset: end - part.length, length: part.length };
  };
  const roots: BtreeNodeReference[] = [];
  for (let i = 0; i < 7; i++) {
    const builder = new LeafBuilder();
    builder.add(bytes("key"), bytes(`${i}`));
    const [node] = await encodeNodes(builder.finish(), config, { mayBeRoot: true });
    roots.push({ location: put(node!.bytes), height: 0, statistics: node!.statistics });
  }
  const version = (generation: number): VersionEntry => ({
    generation: BigInt(generation),
    root: roots[generation % 7]!,
    commitTime: start + BigInt(generation) * second,
  });
  const between = (first: number, last: number): VersionEntry[] =>
    Array.from({ length: last - first + 1 }, (_, i) => version(first + i));
  const write = async (height: number, first: number, last: number): Promise<VersionNodeReference> => {
    let node: VersionNode;
    if (height === 0) node = { arityLog2, height: 0, versions: between(first, last) };
    else {
      const children: VersionNodeReference[] = [];
      const stride = 2 ** (arityLog2 * height);
      for (let at = first; at <= last; at += stride) {
        children.push(await write(height - 1, at, Math.min(last, at + stride - 1)));
      }
      node = { arityLog2, height, children };
    }
    return {
      generation: BigInt(last),
      numGenerations: BigInt(last - first + 1),
      commitTime: version(first).commitTime,
      height,
      arityLog2,
      location: put(await encodeVersionNode(node, null)),
    };
  };
  const versionNodes: VersionNodeReference[] = [];
  for (const { height, first, last } of manifestReferenceRanges(BigInt(count), arityLog2)) {
    if (first <= last) versionNodes.unshift(await write(height, Number(first), Number(last)));
  }
  const manifest = { config, versions: between(count - ((count - 1) % 16), count), versionNodes };
  store = memoryKvStore();
  await store.write(file.relativePath, new Uint8Array(Buffer.concat(parts)));
  await store.write("manifest.ocdbt", await encodeManifest(manifest));
});

test("any version is found by generation, time and ancestor through at most five nodes", async () => {
  const { store: counted, counts } = withCounters(store);
  const db = await openOcdbt(counted, { cacheBytes: 0, maxStalenessMs: 1e9 });
  for (let i = 0; i < 300; i++) {
    const generation = 1 + ((i * 7919) % count);
    const time = start + BigInt(generation) * second + second / 2n;
    for (const spec of [{ generation: BigInt(generation) }, { time }, { ancestor: count - generation }]) {
      const before = counts.reads;
      const view = await db.at(spec);
      const nodes = counts.reads - before - ("generation" in spec ? 0 : 1);
      expect(nodes).toBeLessThanOrEqual(5);
      expect((await view.version())?.generation).toBe(BigInt(generation));
      expect(new TextDecoder().decode((await view.read("key"))!.value)).toBe(`${generation % 7}`);
    }
  }
});

test("versions come as they are asked for", async () => {
  const { store: counted, counts } = withCounters(store);
  const db = await openOcdbt(counted);
  const before = counts.reads;
  let taken = 0;
  for await (const _ of versions(db)) if (++taken === 50) break;
  expect(counts.reads - before).toBeLessThan(12);
  for await (const { generation } of log(db, { maxGeneration: 777n })) {
    expect(generation).toBe(777n);
    break;
  }
  expect(counts.reads - before).toBeLessThan(30);
  let expected = BigInt(count);
  for await (const { generation } of versions(db)) {
    if (generation !== expected) throw new Error(`expected ${expected}, got ${generation}`);
    expected--;
  }
  expect(expected).toBe(0n);
});
