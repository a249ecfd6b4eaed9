import { type FaultOperation, faultAt, memoryKvStore, readValue, withFaults } from "@pcg/kvstore";
import { expect, test } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
const isWrite = ({ kind }: FaultOperation) => kind === "write";

test("the schedule sees every call in order", async () => {
  const seen: string[] = [];
  const store = withFaults(memoryKvStore(), ({ index, kind, key, size, conditional }) => {
    seen.push(
      `${index} ${kind} ${key === undefined ? "" : new TextDecoder().decode(key)} ${size ?? ""} ${conditional ?? ""}`.trim(),
    );
    return undefined;
  });
  await store.write("a", bytes("xyz"), { ifGeneration: null });
  await store.read("a");
  await store.write("a", null);
  for await (const _ of store.list());
  await store.deleteRange({ start: bytes("a") });
  expect(seen.map((line) => line.replace(/ +/g, " "))).toEqual([
    "0 write a 3 true",
    "1 read a",
    "2 delete a",
    "3 list",
    "4 deleteRange",
  ]);
});

test("fail does nothing, lose-ack does it; both reject as transient", async () => {
  const base = memoryKvStore();
  const failing = withFaults(base, faultAt(1, { kind: "fail" }, isWrite));
  await failing.write("a", bytes("1"));
  await expect(failing.write("a", bytes("2"))).rejects.toMatchObject({ code: "transient" });
  expect(await readValue(base, "a")).toEqual(bytes("1"));
  await failing.write("a", bytes("3"));

  const losing = withFaults(base, faultAt(0, { kind: "lose-ack" }));
  await expect(losing.write("a", bytes("4"))).rejects.toMatchObject({ code: "transient" });
  expect(await readValue(base, "a")).toEqual(bytes("4"));

  const error = new Error("my own");
  await expect(withFaults(base, () => ({ kind: "fail", error })).read("a")).rejects.toBe(error);
});

test("tear writes the beginning of a value, reads the beginning, breaks off lists and deletions", async () => {
  const base = memoryKvStore();
  const tearing = withFaults(base, () => ({ kind: "tear", bytes: 2 }));
  await expect(tearing.write("a", bytes("abcd"))).rejects.toMatchObject({ code: "transient" });
  expect(await readValue(base, "a")).toEqual(bytes("ab"));
  await base.write("a", bytes("wxyz"));
  expect(await tearing.read("a")).toMatchObject({ value: bytes("wx"), size: 4 });
  for (const key of ["b", "c", "d"]) await base.write(key, bytes(key));
  const listed: string[] = [];
  const list = async () => {
    for await (const { key } of tearing.list()) listed.push(new TextDecoder().decode(key));
  };
  await expect(list()).rejects.toMatchObject({ code: "transient" });
  expect(listed).toEqual(["a", "b"]);
  await expect(tearing.deleteRange({ start: bytes("a") })).rejects.toMatchObject({ code: "transient" });
  expect(await readValue(base, "b")).toBeUndefined();
  expect(await readValue(base, "c")).toEqual(bytes("c"));
});

test("duplicate sends a conditional write twice: the second finds the first", async () => {
  const base = memoryKvStore();
  const store = withFaults(base, faultAt(0, { kind: "duplicate" }));
  expect((await store.write("a", bytes("x"), { ifGeneration: null })).written).toBe(false);
  expect(await readValue(base, "a")).toEqual(bytes("x"));
});

test("delay lets other calls pass", async () => {
  const base = memoryKvStore();
  let go = (): void => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  const store = withFaults(base, faultAt(0, { kind: "delay", until }));
  const late = store.write("a", bytes("late"));
  await store.write("a", bytes("early"));
  go();
  await late;
  expect(await readValue(base, "a")).toEqual(bytes("late"));
});

test("after a crash nothing works any more, and what was done stays", async () => {
  const base = memoryKvStore();
  const store = withFaults(base, faultAt(1, { kind: "lose-ack", thenCrash: true }));
  await store.write("a", bytes("1"));
  await expect(store.write("a", bytes("2"))).rejects.toMatchObject({ code: "transient" });
  await expect(store.read("a")).rejects.toMatchObject({ code: "closed" });
  await expect(store.write("a", bytes("3"))).rejects.toMatchObject({ code: "closed" });
  expect(await readValue(base, "a")).toEqual(bytes("2"));
});
