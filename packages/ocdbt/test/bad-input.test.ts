/** What callers get wrong at first, and what they are told. */
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { expect, test } from "vitest";
import type { Mutation, OcdbtDatabase } from "../src/index.ts";
import { isOcdbtError, openOcdbt, parseVersionJson } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const value = bytes("v");

test("apply takes keys as text and as bytes", async () => {
  const db = await openOcdbt(memoryKvStore());
  await db.apply([
    { op: "put", key: "a", value },
    { op: "put", key: bytes("ä"), value },
    { op: "put", key: "b/1", value },
    { op: "put", key: "b/2", value },
  ]);
  await db.apply([
    { op: "deleteRange", start: "b/", end: "b0" },
    { op: "delete", key: "a" },
  ]);
  const keys: string[] = [];
  for await (const { key } of db.list()) keys.push(new TextDecoder().decode(key));
  expect(keys).toEqual(["ä"]);
  await db.apply([{ op: "deleteRange", start: "" }]);
  expect(await db.read("ä")).toBeUndefined();
});

test.each<[unknown, string]>([
  [
    { op: "put", key: "a", value: "v" },
    "mutations[1].value is a Uint8Array, or where one lies in a data file, not string",
  ],
  [{ op: "put", key: "a" }, "mutations[1].value is a Uint8Array, or where one lies in a data file, not undefined"],
  [{ op: "put", key: "a", value: { offset: 0, length: 1 } }, "mutations[1].value is a Uint8Array"],
  [{ op: "put", key: 7, value }, "mutations[1].key is a Uint8Array or a string, not number"],
  [{ op: "delete" }, "mutations[1].key is a Uint8Array or a string, not undefined"],
  [{ op: "delete", key: "a", ifGeneration: 3 }, "mutations[1].ifGeneration is a text, or null, not number"],
  [{ op: "deleteRange", start: "a", end: null }, "mutations[1].end is a Uint8Array or a string, not null"],
  [{ op: "deleteRange" }, "mutations[1].start is a Uint8Array or a string, not undefined"],
  [{ key: "a", value }, 'mutations[1].op is "put", "delete" or "deleteRange", not undefined'],
  [null, 'mutations[1].op is "put", "delete" or "deleteRange", not undefined'],
])("apply refuses %j by name, and writes nothing", async (mutation, message) => {
  const db = await openOcdbt(memoryKvStore());
  const applying = db.apply([{ op: "put", key: "first", value }, mutation as Mutation]);
  await expect(applying).rejects.toThrow(TypeError);
  await expect(applying).rejects.toThrow(message);
  expect(await db.head()).toBeUndefined();
});

test("values that are no bytes are refused by databases and transactions, keys that are no keys by all", async () => {
  const db = await openOcdbt(memoryKvStore());
  const transaction = await db.transaction();
  for (const store of [db, transaction] as KvStore[]) {
    await expect(store.write("a", "text" as never)).rejects.toThrow(/^value is a Uint8Array.*not string$/);
    await expect(store.write(7 as never, value)).rejects.toThrow("a key is a Uint8Array or a string, not number");
    await expect((async () => store.read(null as never))()).rejects.toThrow(
      "a key is a Uint8Array or a string, not null",
    );
  }
  await expect(db.apply({} as never)).rejects.toThrow("mutations are an array, not Object");
});

test("opening nothing, and a URL without drivers, say what is missing", async () => {
  await expect(openOcdbt(undefined as never)).rejects.toThrow("openOcdbt needs a store");
  await expect(openOcdbt({} as never)).rejects.toThrow("openOcdbt needs a store");
  await expect(openOcdbt("file:///db/", {} as never)).rejects.toThrow("fileDriver()");
});

test.each<[string, unknown, string]>([
  ["a Date", { time: new Date() }, "the time of a version is ns since the epoch as a bigint"],
  ["nothing", {}, "a version is { generation }, { time }, { tag } or { ancestor }, not an object"],
  ["a number", 12, "not 12 (number)"],
  ["two members", { tag: "t", generation: 1n }, "not one with tag, generation"],
  [
    "a number as generation",
    { generation: 12 },
    "the generation of a version is a bigint such as 12n, not 12 (number)",
  ],
])("a version given as %s is refused", async (_, spec, message) => {
  const db: OcdbtDatabase = await openOcdbt(memoryKvStore());
  await db.write("a", value);
  await expect(db.at(spec as never)).rejects.toThrow(TypeError);
  await expect(db.at(spec as never)).rejects.toThrow(message);
});

test("the text of a Date is a time", async () => {
  const db = await openOcdbt(memoryKvStore());
  await db.write("a", value);
  const view = await db.at({ time: new Date(Date.now() + 1000).toISOString() });
  expect((await view.version())?.generation).toBe(1n);
});

test("a generation as text in JSON is answered with how it is written there", () => {
  for (const text of ["v12", "12"])
    expect(() => parseVersionJson(text)).toThrow("in JSON a generation is a number, 12,");
  expect(parseVersionJson(12)).toEqual({ generation: 12n });
});

test("a configuration that differs is told in the spelling of JSON", async () => {
  const store = memoryKvStore();
  await (await openOcdbt(store, { config: { maxInlineValueBytes: 2 } })).write("a", value);
  const opening = openOcdbt(store, { config: { maxInlineValueBytes: 3 } });
  await expect(opening).rejects.toSatisfy((error) => isOcdbtError(error, "config-mismatch"));
  await expect(opening).rejects.toThrow("max_inline_value_bytes is 2 where 3 was expected");
});

test("errors print the beginning of long keys", async () => {
  const db = await openOcdbt(memoryKvStore());
  for (const key of ["k".repeat(70_000), new Uint8Array(70_000).fill(255), `\ud800${"k".repeat(70_000)}`]) {
    const error = (await db.write(key, value).catch((e: unknown) => e)) as Error;
    expect(error).toBeInstanceOf(Error);
    expect(error.message.length).toBeLessThan(400);
    const applied = (await db.apply([{ op: "put", key, value }]).catch((e: unknown) => e)) as Error;
    expect(applied.message).toBe(error.message);
  }
});

test.each<[object, RegExp]>([
  [{ maxStaleness: 5 }, /no option "maxStaleness"; known are .*maxStalenessMs/],
  [{ driver: {} }, /no option "driver"; known are .*drivers/],
  [{ maxStalenessMs: -1 }, /maxStalenessMs is -1, expected a number, 0 or more/],
  [{ maxStalenessMs: "x" }, /maxStalenessMs is "x"/],
  [{ maxClockSkewMs: Number.NaN }, /maxClockSkewMs is NaN/],
  [{ targetDataFileBytes: 0 }, /targetDataFileBytes is 0, expected a number, 1 or more/],
  [{ maxStagedBytes: null }, /maxStagedBytes is null/],
  [{ dataPrefix: "manifest." }, /dataPrefix \(value\) is "manifest.", expected no text that begins with manifest\./],
  [{ dataPrefix: { btree: "refs/b" } }, /dataPrefix \(btree\) is "refs\/b"/],
  [{ dataPrefix: 7 }, /dataPrefix is 7, expected text/],
  [{ config: { manifestKind: "both" } }, /manifest_kind is both, expected single or numbered/],
  [{ config: { compression: "gzip" } }, /compression is "gzip", expected null or/],
  [{ config: { max_inline_value_bytes: 5 } }, /no member of a config "max_inline_value_bytes"; .*maxInlineValueBytes/],
])("opening with %j is refused, and tells what is known or expected", async (options, message) => {
  const store = memoryKvStore();
  const opened = openOcdbt(store, options);
  await expect(opened).rejects.toMatchObject({ code: "bad-spec", message: expect.stringMatching(message) });
});
