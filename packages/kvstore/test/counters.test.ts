import { memoryKvStore, withCounters } from "@pcg/kvstore";
import { expect, test } from "vitest";

test("counts calls, bytes and conflicts", async () => {
  const { store, counts } = withCounters(memoryKvStore());
  const { generation } = await store.write("a", new Uint8Array(10));
  await store.write("a", new Uint8Array(5), { ifGeneration: null });
  await store.read("a");
  await store.read("a", { range: { offset: 8, length: 9 } });
  await store.read("a", { ifNotGeneration: generation! });
  await store.read("absent");
  for await (const _ of store.list());
  await store.write("a", null);
  await store.deleteRange({ start: new Uint8Array(0) });
  expect(counts).toEqual({
    reads: 4,
    bytesRead: 12,
    writes: 2,
    bytesWritten: 10,
    conflicts: 1,
    deletes: 1,
    lists: 1,
    keysListed: 1,
    deleteRanges: 1,
  });
});
