import { memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { openOcdbt } from "../../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const MAX_U64 = (1n << 64n) - 1n;

test("a version whose time would not fit is refused, and the database stays as it was", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { now: () => MAX_U64 });
  await db.write("k", bytes("1"));
  await expect(db.write("k", bytes("2"))).rejects.toMatchObject({ code: "unsafe" });
  expect((await (await openOcdbt(store)).read("k"))?.value).toEqual(bytes("1"));
});

test("a clock beyond 64 bits makes no version", async () => {
  const db = await openOcdbt(memoryKvStore(), { now: () => 2n * MAX_U64 });
  await expect(db.write("k", bytes("1"))).rejects.toMatchObject({ code: "unsafe" });
});

test("the range behind the longest key can be deleted, an endless bound is refused alone", async () => {
  const db = await openOcdbt(memoryKvStore());
  const longest = new Uint8Array(65_535).fill(1);
  await db.write(longest, bytes("1"));
  const behind = new Uint8Array([...longest, 0]);
  const [deleted, refused, written] = await Promise.allSettled([
    db.deleteRange({ start: behind }),
    db.deleteRange({ start: new Uint8Array(200_000) }),
    db.write("k", bytes("1")),
  ]);
  expect([deleted.status, refused.status, written.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((await db.read(longest))?.value).toEqual(bytes("1"));
});
