import {
  isKvStoreError,
  type KvStore,
  memoryDriver,
  memoryKvStore,
  openKvStore,
  openKvStoreSpec,
  withPrefix,
} from "@pcg/kvstore";
import { describe, expect, test } from "vitest";
import { createTag } from "../src/history/tags.ts";
import { fsck, isOcdbtError, ocdbtDriver, openOcdbt, parseCommitTime, sweep } from "../src/index.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textAt = async (store: KvStore, key: string): Promise<string | undefined> => {
  const found = await store.read(key);
  return found && new TextDecoder().decode(found.value);
};

/** Two versions of `seg/a`, the first tagged "first". */
async function example() {
  const drivers = { ...memoryDriver(), ...ocdbtDriver() };
  const store = await openKvStore("memory://bucket/db/", drivers);
  let clock = parseCommitTime("2026-04-24T10:00:00Z")!;
  const db = await openOcdbt(store, { now: () => clock });
  await db.write("seg/a", bytes("one"));
  await createTag(db, "first", { generation: 1n });
  clock += 3_600_000_000_000n;
  await db.write("seg/a", bytes("two"));
  return drivers;
}

describe("the stage of a URL", () => {
  test.each([
    ["memory://bucket/db/|ocdbt:", "seg/a", "two"],
    ["memory://bucket/db/|ocdbt:seg/", "a", "two"],
    ["memory://bucket/db/|ocdbt:@v1/seg/", "a", "one"],
    ["memory://bucket/db/|ocdbt:@v1", "seg/a", "one"],
    ["memory://bucket/db/|ocdbt:@2026-04-24T10:30:00Z/seg/", "a", "one"],
    ["memory://bucket/db/|ocdbt:@2026-04-24T11:00:00.5Z/seg/", "a", "two"],
    ["memory://bucket/db/|ocdbt:@first/seg/", "a", "one"],
  ])("%s has %s", async (url, key, expected) => {
    const store = await openKvStore(url, await example());
    expect(await textAt(store, key)).toBe(expected);
    await store.close();
  });

  test("a pinned store is not written, a live one is", async () => {
    const drivers = await example();
    const pinned = await openKvStore("memory://bucket/db/|ocdbt:@v1/", drivers);
    expect(pinned.capabilities).toEqual({ list: true });
    await expect(pinned.write("x", bytes("y"))).rejects.toSatisfy((e) => isOcdbtError(e, "read-only"));
    const live = await openKvStore("memory://bucket/db/|ocdbt:seg/", drivers);
    await live.write("b", bytes("new"));
    expect(await textAt(live, "b")).toBe("new");
    expect(await textAt(pinned, "seg/b")).toBeUndefined();
  });

  test.each([
    ["memory://bucket/db/|ocdbt:@v9/", "version-not-found"],
    ["memory://bucket/db/|ocdbt:@v0/", "bad-spec"],
    ["memory://bucket/db/|ocdbt:@2026-13-01T00:00:00Z/", "bad-spec"],
    ["memory://bucket/db/|ocdbt:@2026-04-24T09:00:00Z/", "version-not-found"],
    ["memory://bucket/db/|ocdbt:@nosuchtag/", "version-not-found"],
    ["memory://bucket/none/|ocdbt:@v1/", "not-found"],
  ] as const)("%s is refused: %s", async (url, code) => {
    await expect(openKvStore(url, await example())).rejects.toSatisfy((e) => isOcdbtError(e, code));
  });
});

describe("TensorStore's JSON", () => {
  const base = { driver: "memory", path: "db/" };

  test("opens what a store says of itself", async () => {
    const drivers = { ...memoryDriver(), ...ocdbtDriver() };
    const db = await openKvStoreSpec(
      { driver: "ocdbt", base, path: "seg/", value_data_prefix: "v/", config: { max_inline_value_bytes: 2 } },
      drivers,
    );
    await db.write("a", bytes("longer than two"));
    expect(db.spec).toEqual({ driver: "ocdbt", base, value_data_prefix: "v/", path: "seg/" });
    const again = await openKvStoreSpec(db.spec!, drivers);
    expect(await textAt(again, "a")).toBe("longer than two");
    const then = await openKvStoreSpec({ ...db.spec!, version: 1 }, drivers);
    expect(then.spec).toEqual({ ...db.spec, version: 1 });
    expect(await textAt(then, "a")).toBe("longer than two");
    const files: string[] = [];
    const raw = await openKvStoreSpec(base, drivers);
    for await (const { key } of raw.list()) files.push(new TextDecoder().decode(key).slice(0, 2));
    expect(files).toEqual(["d/", "ma", "v/"]);
  });

  test.each(["single", "numbered"])("a manifest may lie in another store than the data (%s)", async (kind) => {
    const drivers = { ...memoryDriver(), ...ocdbtDriver() };
    const spec = { driver: "ocdbt", base, manifest: { driver: "memory", path: "own" } };
    const config = { manifest_kind: kind, max_inline_value_bytes: 2 };
    const db = await openKvStoreSpec({ ...spec, config }, drivers);
    for (const value of ["first value", "second value"]) await db.write("a", bytes(value));
    const own = await openKvStoreSpec({ driver: "memory", path: "own/" }, drivers);
    const tagging = await openOcdbt(await openKvStoreSpec(base, drivers), { manifestStore: own });
    await createTag(tagging, "t", { generation: 1n });
    const raw = await openKvStoreSpec({ driver: "memory" }, drivers);
    const folders = new Set<string>();
    for await (const { key } of raw.list()) folders.add(new TextDecoder().decode(key).replace(/[0-9a-f]{16,}/, "*"));
    const manifests = kind === "single" ? [] : ["own/manifest.*"];
    expect([...folders].sort()).toEqual(["db/d/*", ...manifests, "own/manifest.ocdbt", "own/refs/tags/t.json"].sort());
    expect(await textAt(await openKvStoreSpec({ ...spec, version: 1 }, drivers), "a")).toBe("first value");
    expect(db.spec).toEqual({ ...spec, manifest: { driver: "memory", path: "own/" } });
    expect(await textAt(await openKvStoreSpec(db.spec!, drivers), "a")).toBe("second value");
    await expect(openKvStoreSpec({ ...spec, manifest: { driver: "none" } }, drivers)).rejects.toThrow(/none/);
    // Others may share the data files, so which may go cannot be told.
    await expect(sweep(tagging)).rejects.toMatchObject({ code: "unsafe" });
    expect((await fsck(tagging)).findings).toEqual([]);
  });

  test("a configuration must be as stored", async () => {
    const drivers = { ...memoryDriver(), ...ocdbtDriver() };
    const spec = { driver: "ocdbt", base, config: { version_tree_arity_log2: 2, compression: null } };
    const db = await openKvStoreSpec(spec, drivers);
    await db.write("a", bytes("1"));
    expect(await textAt(await openKvStoreSpec(spec, drivers), "a")).toBe("1");
    const other = { ...spec, config: { compression: { id: "zstd" } } };
    await expect(openKvStoreSpec(other, drivers)).rejects.toSatisfy((e) => isOcdbtError(e, "config-mismatch"));
  });

  test.each([
    [{ base: undefined }, "base"],
    [{ version: "v1" }, "names no version"],
    [{ version: 0 }, "names no version"],
    [{ config: { max_inline_value_bytes: 1048577 } }, "max_inline_value_bytes"],
    [{ config: { version_tree_arity_log2: 17 } }, "version_tree_arity_log2"],
    [{ config: { compression: { id: "gzip" } } }, "compression"],
    [{ config: { colour: 1 } }, "the members are uuid, manifest_kind, max_inline_value_bytes"],
    [{ coordinator: { address: "localhost:1" } }, "coordinator"],
    [{ coordinator: { address: "http://h:1/", colour: 1 } }, '"coordinator" has a member "colour"'],
    [{ coordinator: { address: 7 } }, 'the address of "coordinator" is 7'],
    [{ coordinator: 7 }, '"coordinator" is 7'],
    [{ manifest: 7 }, "spec"],
    [{ value_data_prefix: 7 }, '"value_data_prefix" is 7, and must be a text'],
    [{ target_data_file_size: -1 }, '"target_data_file_size" is -1, and must be a whole number'],
    [{ surprise: 1 }, "surprise"],
  ])("%j is refused", async (members, message) => {
    const drivers = { ...memoryDriver(), ...ocdbtDriver() };
    const opening = openKvStoreSpec({ driver: "ocdbt", base, ...members }, drivers);
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toSatisfy((e) => isOcdbtError(e, "bad-spec") || isKvStoreError(e, "bad-spec"));
  });
});

test("openOcdbt opens URLs, and says when a part of a database was named", async () => {
  const drivers = await example();
  const db = await openOcdbt("memory://bucket/db/|ocdbt:", { drivers, create: false });
  expect(await textAt(db, "seg/a")).toBe("two");
  await expect(openOcdbt("memory://bucket/db/|ocdbt:seg/", { drivers })).rejects.toSatisfy((e) =>
    isOcdbtError(e, "bad-spec"),
  );
  await expect(openOcdbt("memory://bucket/x/", { drivers, create: false })).rejects.toSatisfy((e) =>
    isOcdbtError(e, "not-found"),
  );
});

test("zarr stores take keys with and without a slash, and ranges", async () => {
  const db = await openOcdbt(withPrefix(memoryKvStore(), "db/"));
  const transaction = await db.transaction();
  const zarr = transaction.asZarrStore({ prefix: "vol/" });
  await zarr.set("/zarr.json", bytes("{}"));
  await zarr.set("c/0/0", bytes("0123456789"));
  expect(await zarr.get("/zarr.json")).toEqual(bytes("{}"));
  expect(await db.read("vol/zarr.json")).toBeUndefined();
  await transaction.commit();
  const read = db.asZarrStore({ prefix: "vol" });
  expect(await read.get("/nothing")).toBeUndefined();
  expect(await read.getRange("/c/0/0", { offset: 2, length: 3 })).toEqual(bytes("234"));
  expect(await read.getRange("c/0/0", { suffixLength: 4 })).toEqual(bytes("6789"));
});
