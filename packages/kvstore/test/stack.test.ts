import {
  type Key,
  type KvDrivers,
  type KvStore,
  keyBytes,
  keyText,
  kvStack,
  kvStackDriver,
  type ListOptions,
  memoryDriver,
  memoryKvStore,
  openKvStore,
  openKvStoreSpec,
  readValue,
  type StackLayer,
  storeSpec,
  withPrefix,
} from "@pcg/kvstore";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
const drivers = (): KvDrivers => ({ ...memoryDriver(), ...kvStackDriver() });

async function keys(store: KvStore, options?: ListOptions): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { key } of store.list(options)) found.push(keyText(key));
  return found;
}

describe("a stack", () => {
  test("finds a key in the last layer that maps it, without what all keys of the layer begin with", async () => {
    const [base, folder, one, range] = [memoryKvStore(), memoryKvStore(), memoryKvStore(), memoryKvStore()];
    const stack = kvStack([
      { store: base },
      { store: folder, prefix: "m/" },
      { store: withPrefix(one, "target"), exact: "zz" },
      { store: range, inclusiveMin: "m/b", exclusiveMax: "m/d" },
    ]);
    const written = ["a", "m/a", "m/b1", "m/c", "m/x", "zz", "zzz"];
    for (const key of written) await stack.write(key, bytes(key));
    expect(await keys(base)).toEqual(["a", "zzz"]);
    expect(await keys(folder)).toEqual(["a", "x"]);
    expect(await keys(one)).toEqual(["target"]);
    expect(await keys(range)).toEqual(["b1", "c"]);
    expect(await keys(stack)).toEqual(written);
    for (const key of written) expect(keyText((await readValue(stack, key))!)).toBe(key);
  });

  test("never falls through a miss to a lower layer", async () => {
    const base = memoryKvStore();
    await base.write("m/hidden", bytes("x"));
    const stack = kvStack([{ store: base }, { store: memoryKvStore(), prefix: "m/" }]);
    expect(await stack.read("m/hidden")).toBeUndefined();
    expect(await keys(stack)).toEqual([]);
    await stack.deleteRange({ start: bytes("") });
    expect(await base.read("m/hidden")).toBeDefined();
  });

  test("a key of no layer is absent, and refused when written or deleted", async () => {
    const stack = kvStack([{ store: memoryKvStore(), prefix: "m/" }]);
    expect(await stack.read("q")).toBeUndefined();
    for (const value of [bytes("x"), null]) {
      await expect(stack.write("q", value)).rejects.toMatchObject({ code: "bad-key", key: '"q"' });
    }
    await expect(stack.read("q", { range: { offset: -1 } })).rejects.toThrow(RangeError);
    await stack.deleteRange({ start: bytes("a"), end: bytes("z") });
  });

  test("promises what every layer promises", () => {
    const reading = { ...memoryKvStore(), capabilities: { list: true } as const };
    expect(kvStack([{ store: memoryKvStore() }, { store: reading, prefix: "a" }]).capabilities).toEqual({ list: true });
  });

  test("has holds and staging where a layer has them", async () => {
    const released: Key[] = [];
    const holding: KvStore = {
      ...memoryKvStore(),
      hold: async (key) => ({ release: () => void released.push(key) }),
      stage: async (key) => ({ discard: () => void released.push(key) }),
    };
    const without = kvStack([{ store: memoryKvStore() }]);
    expect([without.hold, without.stage]).toEqual([undefined, undefined]);
    const stack = kvStack([{ store: memoryKvStore() }, { store: holding, prefix: "m/" }]);
    expect([await stack.hold!("a"), await stack.stage!("a", bytes("x"))]).toEqual([undefined, undefined]);
    (await stack.hold!("m/b"))!.release();
    (await stack.stage!("m/c", bytes("x")))!.discard();
    expect(released.map((key) => keyText(keyBytes(key)))).toEqual(["b", "c"]);
  });

  test("closes each store once", async () => {
    let closed = 0;
    const store: KvStore = { ...withPrefix(memoryKvStore(), ""), close: async () => void closed++ };
    await kvStack([
      { store, prefix: "a" },
      { store, prefix: "b" },
    ]).close();
    expect(closed).toBe(1);
  });

  const wrong: [string, Omit<StackLayer, "store">, typeof TypeError | typeof RangeError][] = [
    ["prefix and exact", { prefix: "a", exact: "a" }, TypeError],
    ["prefix and exclusiveMax", { prefix: "a", exclusiveMax: "b" }, TypeError],
    ["exact and inclusiveMin", { exact: "a", inclusiveMin: "b" }, TypeError],
    ["a range backwards", { inclusiveMin: "b", exclusiveMax: "a" }, RangeError],
    ["more stripped than the prefix", { prefix: "abc", stripPrefix: 4 }, RangeError],
    ["more stripped than the key", { exact: "abc", stripPrefix: 4 }, RangeError],
    ["more stripped than a range shares", { inclusiveMin: "ab", exclusiveMax: "ad", stripPrefix: 2 }, RangeError],
    ["anything stripped of all keys", { stripPrefix: 1 }, RangeError],
    ["a fraction stripped", { prefix: "abc", stripPrefix: 0.5 }, RangeError],
  ];
  test.each(wrong)("refuses %s", (_, selector, kind) => {
    expect(() => kvStack([{ ...selector, store: memoryKvStore() }])).toThrow(kind);
  });

  test("any layers behave as the last that maps a key does", async () => {
    const key = fc.uint8Array({ maxLength: 3 }).map((raw) => raw.map((byte) => [0, 0x61, 0x62, 0xff][byte & 3]!));
    const selector = fc
      .oneof(
        fc.constant({}),
        fc.record({ exact: key }),
        fc.record({ prefix: key }),
        fc.record({ inclusiveMin: key, exclusiveMax: key }),
      )
      .filter((chosen) => canStack(chosen));
    await fc.assert(
      fc.asyncProperty(
        fc.array(selector, { maxLength: 5 }),
        fc.uniqueArray(key, { maxLength: 12, selector: hex }),
        key,
        async (selectors, all, start) => {
          const layers = selectors.map((chosen) => ({ ...chosen, store: memoryKvStore() }));
          const stack = kvStack(layers);
          const expected: string[] = [];
          for (const one of all) {
            // Each layer on its own says whether it maps a key.
            const owner = layers.findLast((layer) => maps(layer, one));
            if (owner === undefined) {
              await expect(stack.write(one, one)).rejects.toMatchObject({ code: "bad-key" });
              continue;
            }
            await stack.write(one, one);
            expected.push(hex(one));
            expect(hex((await kvStack([owner]).read(one))!.value)).toBe(hex(one));
          }
          const listed: string[] = [];
          for await (const entry of stack.list({ range: { start } })) listed.push(hex(entry.key));
          expect(listed).toEqual(expected.filter((one) => one >= hex(start)).sort());
          await stack.deleteRange({ start });
          for (const one of all) {
            const isLeft = expected.includes(hex(one)) && hex(one) < hex(start);
            expect((await stack.read(one)) !== undefined).toBe(isLeft);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

const hex = (key: Uint8Array) => Buffer.from(key).toString("hex");
const compare = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b);
type Chosen = {
  store?: KvStore;
  exact?: Uint8Array;
  prefix?: Uint8Array;
  inclusiveMin?: Uint8Array;
  exclusiveMax?: Uint8Array;
};

function canStack({ inclusiveMin, exclusiveMax }: Chosen): boolean {
  return exclusiveMax === undefined || exclusiveMax.length === 0 || compare(inclusiveMin!, exclusiveMax) <= 0;
}

function maps({ exact, prefix, inclusiveMin, exclusiveMax }: Chosen, key: Uint8Array): boolean {
  if (exact !== undefined) return compare(exact, key) === 0;
  if (prefix !== undefined) return hex(key).startsWith(hex(prefix));
  if (inclusiveMin === undefined || exclusiveMax === undefined) return true;
  return compare(key, inclusiveMin) >= 0 && (exclusiveMax.length === 0 || compare(key, exclusiveMax) < 0);
}

describe("the JSON of a stack", () => {
  const spec = {
    driver: "kvstack",
    layers: [
      { base: { driver: "memory", path: "base/" } },
      { base: "memory://fork/manifest", exact: "manifest.ocdbt" },
      { base: "memory://fork/", prefix: "d/", strip_prefix: 0 },
      { base: { driver: "memory", path: "r/" }, inclusive_min: "x/a", exclusive_max: "x/c" },
    ],
    path: "",
  };

  test("opens, and is published again with URLs as specs", async () => {
    const opened = drivers();
    const stack = await openKvStoreSpec(spec, opened);
    for (const key of ["a", "manifest.ocdbt", "d/1", "x/a1"]) await stack.write(key, bytes(key));
    const all = await openKvStore("memory://", opened);
    expect(await keys(all)).toEqual(["base/a", "fork/d/1", "fork/manifest", "r/a1"]);
    const published = storeSpec(stack);
    expect(published).toEqual({
      driver: "kvstack",
      layers: [
        { base: { driver: "memory", path: "base/" } },
        { base: { driver: "memory", path: "fork/manifest" }, exact: "manifest.ocdbt" },
        { base: { driver: "memory", path: "fork/" }, prefix: "d/", strip_prefix: 0 },
        { base: { driver: "memory", path: "r/" }, inclusive_min: "x/a", exclusive_max: "x/c" },
      ],
    });
    const again = await openKvStoreSpec(JSON.parse(JSON.stringify(published)), opened);
    expect(await keys(again)).toEqual(["a", "d/1", "manifest.ocdbt", "x/a1"]);
  });

  test("takes a path, which every key begins with", async () => {
    const stack = await openKvStoreSpec(
      { driver: "kvstack", layers: [{ base: "memory://b/" }], path: "s/t" },
      drivers(),
    );
    await stack.write("k", bytes("x"));
    expect(storeSpec(stack)).toMatchObject({ path: "s/t" });
    expect(stack.url).toBe("kvstack(memory://b/)s/t");
  });

  test("stands percent-encoded in a URL, with a folder behind it", async () => {
    const opened = drivers();
    const url = `kvstack:${encodeURIComponent(JSON.stringify({ layers: spec.layers }))}/d`;
    const store = await openKvStore(url, opened);
    await store.write("1", bytes("x"));
    expect(await keys(await openKvStore("memory://fork", opened))).toEqual(["d/1"]);
    for (const bad of ["kvstack:%7B", "kvstack:%ff", "kvstack:{%22path%22:1}", "kvstack:[]"]) {
      await expect(openKvStore(bad, opened)).rejects.toMatchObject({ code: expect.stringMatching(/^bad-/) });
    }
  });

  const bad: [unknown, string][] = [
    [{ driver: "kvstack" }, '"layers" must be a list'],
    [{ driver: "kvstack", layers: [], extra: 1 }, 'unknown member "extra"'],
    [{ driver: "kvstack", layers: [1] }, "layer 0 must be an object"],
    [{ driver: "kvstack", layers: [{}] }, 'the "base" of layer 0'],
    [
      { driver: "kvstack", layers: [{ base: "memory://", bad: 1, worse: 2 }] },
      'unknown members "bad", "worse" in layer 0',
    ],
    [{ driver: "kvstack", layers: [{ base: "memory://", prefix: 5 }] }, '"prefix" of layer 0 must be a string'],
    [{ driver: "kvstack", layers: [{ base: "memory://", prefix: null }] }, '"prefix" of layer 0 must be a string'],
    [{ driver: "kvstack", layers: [{ base: "memory://", prefix: "a", exact: "a" }] }, "at most one of"],
    [
      { driver: "kvstack", layers: [{ base: "memory://" }, { base: "memory://", strip_prefix: 1 }] },
      "layer 1: stripPrefix",
    ],
    [{ driver: "kvstack", layers: [{ base: "memory://", strip_prefix: "1" }] }, '"strip_prefix" of layer 0'],
    [{ driver: "kvstack", layers: [{ base: "memory://", prefix: "\ud800" }] }, "well-formed"],
    [{ driver: "kvstack", layers: [{ base: { driver: 1 } }] }, 'the "base" of layer 0'],
    [{ path: "x" }, '"driver"'],
    [{ driver: "memory", path: 1 }, '"path"'],
    [null, "URL or an object"],
    [{ driver: "memory", atomic: false }, 'unknown member "atomic"'],
  ];
  test.each(bad)("%j is refused", async (json, reason) => {
    await expect(openKvStoreSpec(json as string, drivers())).rejects.toMatchObject({
      code: "bad-spec",
      message: expect.stringContaining(reason),
    });
  });

  test("an unknown driver is refused with the list of those known, and what was opened is closed", async () => {
    let closed = 0;
    const counting: KvDrivers = {
      ...kvStackDriver(),
      count: { openSpec: () => ({ ...withPrefix(memoryKvStore(), ""), close: async () => void closed++ }) },
    };
    const layers = [{ base: { driver: "count" } }, { base: { driver: "constructor" } }];
    await expect(openKvStoreSpec({ driver: "kvstack", layers }, counting)).rejects.toMatchObject({
      code: "unknown-driver",
      message: 'no driver for the driver "constructor" of a kvstore spec; known here: count, kvstack',
    });
    expect(closed).toBe(1);
  });

  test("is written from the last key to the first where TensorStore would not read it rightly", () => {
    const at = (path: string) => ({ ...memoryKvStore(), spec: { driver: "memory", path } });
    const gap = kvStack([
      { store: at("1"), prefix: "a/" },
      { store: at("2"), prefix: "z/" },
      { store: at("3"), exact: "a/x", stripPrefix: 0 },
      { store: at("4"), inclusiveMin: "q", exclusiveMax: "q" },
    ]);
    expect(gap.spec).toEqual({
      driver: "kvstack",
      layers: [
        { base: { driver: "memory", path: "2" }, prefix: "z/" },
        { base: { driver: "memory", path: "1" }, inclusive_min: "a/x\0", exclusive_max: "a0" },
        { base: { driver: "memory", path: "3" }, exact: "a/x", strip_prefix: 0 },
        { base: { driver: "memory", path: "1" }, inclusive_min: "a/", exclusive_max: "a/x" },
      ],
    });
  });

  test("is none when a layer has none, or its keys are no text", () => {
    const stored = { ...memoryKvStore(), spec: { driver: "memory" } };
    expect(kvStack([{ store: memoryKvStore() }]).spec).toBeUndefined();
    expect(kvStack([{ store: stored, prefix: Uint8Array.of(0xff) }]).spec).toBeUndefined();
    expect(() => storeSpec(memoryKvStore())).toThrow("has no JSON form");
    expect(kvStack([{ store: stored, prefix: keyBytes("é") }]).spec).toEqual({
      driver: "kvstack",
      layers: [{ base: { driver: "memory" }, prefix: "é" }],
    });
  });
});
