import {
  faultAt,
  type KvStore,
  keyText,
  type ListOptions,
  memoryKvStore,
  overlay,
  readValue,
  withFaults,
} from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
const tombstoneLength = 32;

async function keys(store: KvStore, options?: ListOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(options)) found.push(keyText(key)!);
  return found;
}

async function texts(store: KvStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of await keys(store)) found[key] = keyText((await readValue(store, key))!)!;
  return found;
}

async function holding(contents: Record<string, string>): Promise<KvStore> {
  const store = memoryKvStore();
  for (const [key, value] of Object.entries(contents)) await store.write(key, bytes(value));
  return store;
}

test("shows the lower store where the upper has nothing, and never writes to it", async () => {
  const lower = await holding({ a: "1", b: "2", c: "3" });
  const upper = memoryKvStore();
  const both = overlay(upper, lower);
  await both.write("b", bytes("two"));
  await both.write("bb", bytes("new"));
  await both.write("c", null);
  expect(await texts(both)).toEqual({ a: "1", b: "two", bb: "new" });
  expect(await both.read("c")).toBeUndefined();
  expect(await both.read("c", { range: { offset: 1, length: 2 } })).toBeUndefined();
  expect(await texts(lower)).toEqual({ a: "1", b: "2", c: "3" });
  expect(await keys(both, { prefix: "b" })).toEqual(["b", "bb"]);
  await both.write("c", bytes("back"));
  expect(await texts(both)).toEqual({ a: "1", b: "two", bb: "new", c: "back" });
  expect(await texts(overlay(upper, lower))).toEqual(await texts(both));
});

test("marks what is deleted by a tombstone and a hint, only where the lower store has the key", async () => {
  const upper = memoryKvStore();
  const both = overlay(upper, await holding({ a: "1" }));
  await both.write("a", null);
  await both.write("x", bytes("x"));
  await both.write("x", null);
  await both.write("never", null);
  expect(await keys(upper)).toEqual([".deleted/a", "a"]);
  expect((await upper.read("a"))!.size).toBe(tombstoneLength);
  expect(await keys(both)).toEqual([]);
  await both.deleteRange({ start: bytes("") });
  expect(await keys(upper)).toEqual([".deleted/a", "a"]);
});

test("keys and values that mark deletions are refused", async () => {
  const upper = memoryKvStore();
  const both = overlay(upper, await holding({ a: "1", ".deleted/z": "not shown" }));
  await both.write("a", null);
  const mark = (await readValue(upper, "a"))!;
  await expect(both.write("b", mark)).rejects.toMatchObject({ code: "unsupported", key: '"b"' });
  for (const call of [() => both.read(".deleted/a"), () => both.write(".deleted/a", mark)]) {
    await expect(call()).rejects.toMatchObject({ code: "bad-key" });
  }
  expect(await keys(both)).toEqual([]);
});

test("a value as long as a tombstone is one, whole or in part", async () => {
  const both = overlay(memoryKvStore(), memoryKvStore());
  const value = new Uint8Array(tombstoneLength).fill(7);
  const { generation } = await both.write("a", value);
  expect(await both.read("a")).toEqual({ value, generation, size: tombstoneLength });
  expect(await both.read("a", { range: { suffixLength: 3 } })).toMatchObject({
    value: value.subarray(0, 3),
    generation,
  });
  expect(await both.read("a", { ifNotGeneration: generation! })).toBe("unchanged");
});

test("conditions hold across both stores", async () => {
  const both = overlay(memoryKvStore(), await holding({ a: "1" }));
  const { generation: below } = (await both.read("a"))!;
  expect(await both.read("a", { ifNotGeneration: below })).toBe("unchanged");
  expect(await both.write("a", bytes("x"), { ifGeneration: null })).toEqual({ written: false, generation: below });
  const { generation: above } = await both.write("a", bytes("2"), { ifGeneration: below });
  expect(await both.write("a", bytes("x"), { ifGeneration: below })).toEqual({ written: false, generation: above });
  expect(await both.write("a", null, { ifGeneration: below })).toEqual({ written: false, generation: above });
  expect(await both.write("a", null, { ifGeneration: above! })).toEqual({ written: true, generation: null });
  expect(await both.write("a", bytes("x"), { ifGeneration: below })).toEqual({ written: false, generation: null });
  expect((await both.write("a", bytes("3"), { ifGeneration: null })).written).toBe(true);
  expect(await texts(both)).toEqual({ a: "3" });
});

test("whichever call to the upper store is the last before a crash, the old state is there or the new", async () => {
  type Act = (store: KvStore) => Promise<unknown>;
  const acts: [string, Act][] = [
    ["delete", (store) => store.write("a", null)],
    ["delete what was replaced", (store) => store.write("b", null)],
    [
      "delete under condition",
      async (store) => store.write("a", null, { ifGeneration: (await store.read("a"))!.generation }),
    ],
    [
      "replace under condition",
      async (store) => store.write("a", bytes("new"), { ifGeneration: (await store.read("a"))!.generation }),
    ],
    ["create over a tombstone", (store) => store.write("c", bytes("new"), { ifGeneration: null })],
  ];
  for (const [what, act] of acts) {
    for (const kind of ["fail", "lose-ack"] as const) {
      for (let index = 0; ; index++) {
        const lower = await holding({ a: "1", b: "2", c: "3" });
        const upper = memoryKvStore();
        const prepared = overlay(upper, lower);
        await prepared.write("b", bytes("two"));
        await prepared.write("c", null);
        const before = await texts(prepared);
        const crash = faultAt(index, { kind, thenCrash: true });
        let calls = 0;
        const crashing = withFaults(upper, (operation) => {
          calls++;
          return crash(operation);
        });
        const failed = await act(overlay(crashing, lower)).then(
          () => false,
          () => true,
        );
        const after = await texts(overlay(upper, lower));
        await act(overlay(upper, lower)).catch(() => undefined);
        const done = await texts(overlay(upper, lower));
        expect([before, done], `${what}, ${kind} at call ${index}`).toContainEqual(after);
        if (calls <= index) {
          expect(failed).toBe(false);
          break;
        }
      }
    }
  }
});

test("writers and deleters of one key that began in the lower store lose nothing", async () => {
  const random = new Random(11);
  for (let round = 0; round < 20; round++) {
    const upper = memoryKvStore();
    const lower = await holding({ n: "100" });
    // Each call of a store takes a few turns, so that the steps of different writers mix.
    const slow = withFaults(upper, () => ({ kind: "delay", until: turns(random.between(0, 4)) }));
    let sum = 100;
    let deletions = 0;
    const increment = async (): Promise<void> => {
      const both = overlay(slow, lower);
      for (let i = 0; i < 6; ) {
        const found = await both.read("n");
        const ifGeneration = found?.generation ?? null;
        const value = found === undefined ? 0 : Number(keyText(found.value));
        const isDeletion = found !== undefined && random.between(0, 3) === 0;
        const next = isDeletion ? null : bytes(String(value + 1));
        if (!(await both.write("n", next, { ifGeneration })).written) continue;
        // Only one at a time can have seen this value and succeeded.
        sum += isDeletion ? -value : 1;
        deletions += isDeletion ? 1 : 0;
        i++;
      }
    };
    await Promise.all(Array.from({ length: 4 }, increment));
    const left = await readValue(overlay(upper, lower), "n");
    expect(left === undefined ? 0 : Number(keyText(left))).toBe(sum);
    expect(deletions).toBeGreaterThan(0);
  }
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

test.each([1, 2, 3, 4])("behaves over a filled store as one map does, reopened at any time (seed %i)", async (seed) => {
  const random = new Random(seed);
  const names = ["", "a", "a/", "a/b", "b", "b/c", "c", "d", "e"];
  const name = () => names[random.below(names.length)]!;
  const contents = Object.fromEntries(names.filter(() => random.below(2) === 0).map((key) => [key, `lower ${key}`]));
  const lower = await holding(contents);
  const upper = memoryKvStore();
  const model = new Map(Object.entries(contents));
  let both = overlay(upper, lower);
  for (let step = 0; step < 300; step++) {
    const key = name();
    const generation = (await both.read(key))?.generation ?? null;
    const known = model.get(key);
    // A condition that holds, one that does not, none.
    const ifGeneration = [generation, random.below(2) === 0 ? null : "l99", undefined][random.below(3)];
    const condition = ifGeneration === undefined ? {} : { ifGeneration };
    const holds = ifGeneration === undefined || ifGeneration === generation;
    const choice = random.below(10);
    if (choice < 4) {
      const value = random.below(2) === 0 ? `${step}` : "x".repeat(tombstoneLength);
      expect((await both.write(key, bytes(value), condition)).written).toBe(holds);
      if (holds) model.set(key, value);
    } else if (choice < 8) {
      expect(await both.write(key, null, condition)).toEqual({ written: holds, generation: holds ? null : generation });
      if (holds) model.delete(key);
    } else if (choice === 8) both = overlay(upper, lower);
    else {
      const [start, end] = [key, name()].sort();
      await both.deleteRange({ start: bytes(start!), end: bytes(end!) });
      for (const one of names) if (start! <= one && one < end!) model.delete(one);
    }
    expect(known === undefined).toBe(generation === null);
    expect(await texts(both)).toEqual(Object.fromEntries(model));
  }
  expect(await texts(lower)).toEqual(contents);
});

test("deleteRange stops at a failure and tells it", async () => {
  const lower = await holding(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${10 + i}`, "x"])));
  const upper = withFaults(
    memoryKvStore(),
    faultAt(5, { kind: "fail" }, ({ kind }) => kind === "write"),
  );
  const both = overlay(upper, lower);
  await expect(both.deleteRange({ start: bytes("k") })).rejects.toMatchObject({ code: "transient" });
  const left = await keys(both);
  expect(left.length).toBeGreaterThan(15);
  await both.deleteRange({ start: bytes("k") });
  expect(await keys(both)).toEqual([]);
});
