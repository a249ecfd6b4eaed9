import { memoryKvStore } from "@pcg/kvstore";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BtreeLeaf, LeafBuilder } from "../../src/format/index.ts";
import { createDataFileWriter, DEFAULT_PREFIXES } from "../../src/io/data-file-writer.ts";
import { openOcdbt } from "../../src/open.ts";
import { TreeBuilder } from "../../src/upkeep/tree-builder.ts";
import { contentsOf, expectSound } from "./world.ts";

function leafOf(keys: readonly string[]): BtreeLeaf {
  const builder = new LeafBuilder();
  for (const key of keys) builder.add(Buffer.from(key), Buffer.from(key.slice(-3)));
  return builder.finish();
}

test("trees built level by level in little memory hold every entry, whatever the sizes of nodes", async () => {
  const shape = fc.record({
    count: fc.constantFrom(1, 2, 3, 50, 700),
    maxDecodedNodeBytes: fc.constantFrom(0, 1, 100, 400, 5000),
    bytesAtOnce: fc.constantFrom(1, 1000, 20_000),
    run: fc.integer({ min: 1, max: 200 }),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ count, maxDecodedNodeBytes, bytesAtOnce, run }) => {
      const store = memoryKvStore();
      const config = { maxDecodedNodeBytes, compression: null };
      const db = await openOcdbt(store, { config });
      const writer = createDataFileWriter(store, { prefixes: DEFAULT_PREFIXES, targetFileBytes: 10_000 });
      const builder = new TreeBuilder(config, writer, bytesAtOnce);
      const keys = Array.from({ length: count }, (_, i) => `prefix/${String(i).padStart(5, "0")}`);
      const leaf = leafOf(keys.map((key) => key.slice(3)));
      for (let i = 0; i < count; i += run) {
        await builder.copy(leaf, i, Math.min(count, i + run), Buffer.from("pre"));
      }
      const root = await builder.finish();
      await writer.flush();
      expect(root.statistics.numKeys).toBe(BigInt(count));
      await db.parts.updateManifest({
        next: async (current, own) => (await db.parts.appendVersion(current, root, own)).manifest,
      });
      expect([...(await contentsOf(db, 1n)).keys()]).toEqual(keys);
      await expectSound(store);
    }),
    { numRuns: 12 },
  );
});
