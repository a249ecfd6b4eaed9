import { memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import { openOcdbt } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

test("what is written is read back, in each version", async () => {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config: { maxInlineValueBytes: 4 } });
  expect(await db.head()).toBeUndefined();
  await db.write("a", bytes("1"));
  await db.write("b", bytes("longer"));
  for (let i = 0; i < 40; i++) await db.write(`k${i}`, bytes(`value ${i}`));
  await db.write("a", null);
  expect((await db.head())?.generation).toBe(43n);
  const then = await db.at({ generation: 2n });
  expect(text((await then.read("a"))?.value)).toBe("1");
  expect(text((await then.read("b"))?.value)).toBe("longer");
  expect(await db.read("a")).toBeUndefined();
  expect(text((await db.read("k17", { range: { offset: 2, length: 3 } }))?.value)).toBe("lue");
  for (let i = 0; i < 40; i++) {
    const view = await db.at({ generation: BigInt(i + 3) });
    expect(text((await view.read(`k${i}`))?.value)).toBe(`value ${i}`);
    expect(await view.read(`k${i + 1}`)).toBeUndefined();
    expect((await (await db.at({ ancestor: 40 - i })).version())?.generation).toBe(BigInt(i + 3));
  }
});
