import { memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { appendVersion } from "../../src/commit/append-version.ts";
import {
  decodeManifest,
  encodeManifest,
  encodeVersionNode,
  type Manifest,
  NO_STATISTICS,
} from "../../src/format/index.ts";
import { truncateManifest } from "../../src/history/truncate.ts";
import { versionsOf } from "../../src/history/versions.ts";
import { createDataFileWriter, DEFAULT_PREFIXES } from "../../src/io/data-file-writer.ts";
import { DecodeBudget } from "../../src/io/decode-budget.ts";
import { createNodeReader } from "../../src/io/node-reader.ts";
import { Semaphore } from "../../src/io/semaphore.ts";

const root = { location: undefined, height: 0, statistics: NO_STATISTICS };

function world() {
  const store = memoryKvStore();
  const nodes = createNodeReader(store, { cacheBytes: 1e7, requests: new Semaphore(8), budget: new DecodeBudget(1e7) });
  const write = async <T>(work: (writer: ReturnType<typeof createDataFileWriter>) => Promise<T>): Promise<T> => {
    const writer = createDataFileWriter(store, { prefixes: DEFAULT_PREFIXES, targetFileBytes: 1e9 });
    const result = await work(writer);
    await writer.flush();
    return result;
  };
  return { store, nodes, write };
}

async function extend(
  manifest: Manifest,
  count: number,
  { nodes, write }: ReturnType<typeof world>,
): Promise<Manifest> {
  let extended = manifest;
  for (let i = 0; i < count; i++) {
    extended = await write(async (writer) => {
      const now = BigInt((extended.versions.at(-1)?.generation ?? 0n) + 1n) * 1000n;
      return (await appendVersion(extended, root, { nodes, writer, now })).manifest;
    });
  }
  return extended;
}

function empty(versionTreeArityLog2: number): Manifest {
  return {
    config: {
      uuid: "0123456789abcdef0123456789abcdef",
      manifestKind: "single",
      maxInlineValueBytes: 100,
      maxDecodedNodeBytes: 1000,
      versionTreeArityLog2,
      compression: null,
    },
    versions: [],
    versionNodes: [],
  };
}

async function generations(manifest: Manifest, nodes: ReturnType<typeof world>["nodes"]): Promise<bigint[]> {
  const found: bigint[] = [];
  for await (const { generation } of versionsOf(manifest, nodes)) found.push(generation);
  return found;
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => BigInt(n - i));

test.each([
  [1, 70],
  [2, 90],
  [4, 300],
])(
  "arity 2^%i: a manifest of %i versions cut anywhere is legal, has all versions before, and grows on",
  async (arity, count) => {
    const own = world();
    const manifest = await extend(empty(arity), count, own);
    expect(await generations(manifest, own.nodes)).toEqual(upTo(count));
    for (let cut = 1; cut <= count; cut += arity === 4 ? 7 : 1) {
      const truncated = await own.write(
        async (writer) =>
          await truncateManifest(manifest, BigInt(cut), own.nodes, {
            writeNode: async (node) => writer.append(await encodeVersionNode(node, null), "version-tree"),
          }),
      );
      // Decoding checks every rule about blocks, heights and ranges.
      const stored = await decodeManifest(await encodeManifest(truncated!));
      expect(await generations(stored, own.nodes)).toEqual(upTo(cut));
      const grown = await extend(stored, 2 ** arity + 1, own);
      expect(await generations(await decodeManifest(await encodeManifest(grown)), own.nodes)).toEqual(
        upTo(cut + 2 ** arity + 1),
      );
    }
  },
);

test("cut without writing, it is legal and has the newest block and all whole nodes", async () => {
  const own = world();
  const manifest = await extend(empty(1), 70, own);
  for (let cut = 1; cut <= 70; cut++) {
    const truncated = await truncateManifest(manifest, BigInt(cut), own.nodes);
    const stored = await decodeManifest(await encodeManifest(truncated!));
    const found = await generations(stored, own.nodes);
    expect(found[0]).toBe(BigInt(cut));
    expect(found).toEqual(upTo(cut).filter((generation) => found.includes(generation)));
  }
});

test("a generation that is not there cannot be cut at", async () => {
  const own = world();
  const manifest = await extend(empty(2), 33, own);
  expect(await truncateManifest(manifest, 34n, own.nodes)).toBeUndefined();
  const pruned = { ...manifest, versionNodes: manifest.versionNodes.filter(({ height }) => height !== 1) };
  expect(await truncateManifest(pruned, 20n, own.nodes)).toBeUndefined();
  expect(await truncateManifest(pruned, 16n, own.nodes)).toMatchObject({ versions: { length: 4 } });
  expect(await truncateManifest({ ...manifest, versionNodes: [] }, 16n, own.nodes)).toBeUndefined();
});

test("versions are listed within bounds of generation and time, reading no more nodes than those have", async () => {
  const own = world();
  const manifest = await extend(empty(1), 70, own);
  let reads = 0;
  const counted = {
    ...own.nodes,
    versionNode: (reference: Parameters<typeof own.nodes.versionNode>[0]) => {
      reads++;
      return own.nodes.versionNode(reference);
    },
  };
  const list = async (bounds: Parameters<typeof versionsOf>[2]): Promise<bigint[]> => {
    const found: bigint[] = [];
    for await (const { generation } of versionsOf(manifest, counted as typeof own.nodes, bounds))
      found.push(generation);
    return found;
  };
  for (let low = 1; low <= 70; low += 3) {
    for (let high = low; high <= 70; high += 5) {
      const expected = upTo(high).filter((generation) => generation >= low);
      expect(await list({ minGeneration: BigInt(low), maxGeneration: BigInt(high) })).toEqual(expected);
      expect(await list({ minTime: BigInt(low) * 1000n, maxTime: BigInt(high) * 1000n + 999n })).toEqual(expected);
    }
  }
  reads = 0;
  expect(await list({ minGeneration: 33n, maxGeneration: 33n })).toEqual([33n]);
  expect(reads).toBeLessThanOrEqual(7);
});
