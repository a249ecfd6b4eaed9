import { describe, expect, test } from "vitest";
import { dump, formatReference } from "../../src/dump.ts";
import {
  decodeVersionNode,
  encodeBtreeNode,
  encodeManifest,
  encodeNodes,
  encodeVersionNode,
  InteriorBuilder,
  LeafBuilder,
  nodeStatistics,
  type VersionNodeReference,
} from "../../src/format/index.ts";
import {
  allVersions,
  CASES,
  contents,
  contentsDigest,
  fullKey,
  type GoldenCase,
  goldenCase,
  newestManifest,
  stored,
  visitTree,
} from "./corpus.ts";

const loaded = new Map<string, GoldenCase>(CASES.map((name) => [name, goldenCase(name)]));

describe.each(CASES)("TensorStore's database %s", (name) => {
  const golden = loaded.get(name)!;

  test("holds in each version what TensorStore reads from it", async () => {
    const { manifest } = await newestManifest(golden);
    const versions = await allVersions(golden, manifest);
    const found = Object.fromEntries(
      await Promise.all(
        versions.map(async ({ generation, root }) => {
          const entries = await contents(golden, root);
          expect(root.statistics.numKeys).toBe(BigInt(entries.length));
          return [generation, { keys: entries.length, sha256: contentsDigest(entries) }] as const;
        }),
      ),
    );
    expect(found).toEqual(golden.record.contents);
  });

  test("dumps as TensorStore dumps it", async () => {
    const { bytes, manifest } = await newestManifest(golden);
    expect(await dump(bytes)).toEqual(golden.dump.manifest);
    for (const reference of manifest.versionNodes) await expectSameVersionNodes(golden, reference);
    if (Object.keys(golden.dump.nodes).length === 0) return;
    for (const { root } of await allVersions(golden, manifest)) {
      for (const { location } of await visitTree(golden, root)) {
        const expected = golden.dump.nodes[formatReference("btreenode", location)];
        expect(expected).toBeDefined();
        expect(await dump(stored(golden, location), { basePath: location.file.basePath })).toEqual(expected);
      }
    }
  });

  test("has exact statistics in every reference", async () => {
    const { manifest } = await newestManifest(golden);
    for (const { root } of await allVersions(golden, manifest)) {
      for (const { node, location } of await visitTree(golden, root)) {
        const statistics = nodeStatistics(node, location.length);
        if (location === root.location) expect(statistics).toEqual(root.statistics);
      }
    }
  });
});

describe.each(CASES.filter((name) => isRaw(loaded.get(name)!)))("TensorStore's uncompressed database %s", (name) => {
  const golden = loaded.get(name)!;

  test("encodes again to the same bytes", async () => {
    const { bytes, manifest } = await newestManifest(golden);
    expect(await encodeManifest(manifest)).toEqual(bytes);
    for (const reference of manifest.versionNodes) {
      const original = stored(golden, reference.location);
      expect(await encodeVersionNode(await decodeVersionNode(original), null)).toEqual(original);
    }
    for (const { root } of await allVersions(golden, manifest)) {
      for (const { node, location } of await visitTree(golden, root)) {
        if (location.file.basePath !== "") continue;
        expect(await encodeBtreeNode(node, { compression: null })).toEqual(stored(golden, location));
      }
    }
  });
});

test("a row of entries is parted into the nodes that TensorStore makes of it", async () => {
  for (const name of ["deep", "deep-zstd", "one-leaf", "large-frame"]) {
    const golden = loaded.get(name)!;
    const { manifest } = await newestManifest(golden);
    const { config } = manifest;
    // The version of one commit into the empty tree.
    const { root } = manifest.versions.find((version) => version.root.location !== undefined)!;
    const visited = await visitTree(golden, root);
    for (let height = 0; height <= root.height; height++) {
      const row = visited.filter(({ node }) => node.height === height);
      const builder = height === 0 ? new LeafBuilder() : new InteriorBuilder(height);
      for (const { node, prefix } of row) builder.copy(node as never, 0, node.keys.length, prefix);
      const encoded = await encodeNodes(builder.finish(), config, { mayBeRoot: true });
      expect(encoded.map((node) => [Buffer.from(node.firstKey).toString("hex"), node.excluded])).toEqual(
        row.map((at) => [Buffer.from(fullKey(at, 0)).toString("hex"), at.prefix.length]),
      );
      if (config.compression !== null) continue;
      expect(encoded.map((node) => node.bytes)).toEqual(row.map(({ location }) => stored(golden, location)));
    }
    expect(root.height > 0).toBe(name.startsWith("deep"));
  }
});

async function expectSameVersionNodes(golden: GoldenCase, reference: VersionNodeReference): Promise<void> {
  const bytes = stored(golden, reference.location);
  expect(await dump(bytes)).toEqual(golden.dump.nodes[formatReference("versionnode", reference.location)]);
  const node = await decodeVersionNode(bytes);
  if (!("children" in node)) return;
  for (const child of node.children) await expectSameVersionNodes(golden, child);
}

function isRaw(golden: GoldenCase): boolean {
  return (golden.dump.manifest as { config: { compression: unknown } }).config.compression === null;
}
