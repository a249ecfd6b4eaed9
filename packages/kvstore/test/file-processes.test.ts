import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { keyText, readValue } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { Random } from "@pcg/testkit";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { buildChild, type Child, startChild } from "./child-process.ts";

let module: string;
let folder: string;
beforeAll(async () => {
  module = await buildChild();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvstore-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Waits for every child, also when one fails: they must not outlive their folder. */
async function all(children: readonly Child[]): Promise<void> {
  const ends = await Promise.allSettled(children.map((child) => child.done()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

test.each(["fsync", "no fsync"])("increments by four processes under conditions are exact (%s)", async (mode) => {
  const children = [1, 2, 3, 4].map(() => startChild(module, ["increment", folder, "25", mode]));
  await all(children);
  expect(Buffer.from((await readValue(fileKvStore(folder), "deep/counter"))!).toString()).toBe("100");
  expect(await readdir(join(folder, "deep"))).toEqual(["counter"]);
});

test("whatever write a SIGKILL hits, readers see a whole value, no acknowledged write is lost, and work goes on", async () => {
  const random = new Random(5);
  const store = fileKvStore(folder);
  let next = 0;
  let sawLeftovers = 0;
  /** Which write each of the three keys was last seen to hold. */
  const present: (number | undefined)[] = [undefined, undefined, undefined];
  for (let round = 0; round < 12; round++) {
    const child = startChild(module, ["write", folder, String(next)]);
    const acknowledged: number[] = [];
    child.lines.on("line", (line) => line !== "started" && acknowledged.push(Number(line)));
    await child.nextLine();
    await sleep(random.between(1, 60));
    await child.kill();
    const last = acknowledged.at(-1) ?? next - 1;
    for (const slot of [0, 1, 2]) {
      const mine = acknowledged.filter((i) => i % 3 === slot).at(-1);
      const inFlight = (last + 1) % 3 === slot ? last + 1 : undefined;
      const possible = [mine ?? present[slot], inFlight];
      const found = await readValue(store, `key/${slot}`);
      if (found === undefined) {
        expect(possible).toContain(undefined);
        continue;
      }
      const byte = found[0]!;
      expect(found.length).toBe(100_000 + byte);
      expect(found.every((other) => other === byte)).toBe(true);
      present[slot] = possible.find((i) => i !== undefined && i % 251 === byte);
      expect(present[slot], `slot ${slot}: ${byte} of ${possible}`).toBeDefined();
    }
    const names = await readdir(join(folder, "key")).catch(() => []);
    sawLeftovers += names.filter((name) => name.endsWith(".__lock")).length;
    const listed: (string | undefined)[] = [];
    for await (const { key } of store.list()) listed.push(keyText(key));
    expect(listed.every((key) => /^key\/[012]$/.test(key!))).toBe(true);
    next = last + 2;
  }
  expect(sawLeftovers).toBeGreaterThan(0);
  const fresh = fileKvStore(folder);
  for (const slot of [0, 1, 2]) {
    const generation = (await fresh.read(`key/${slot}`))?.generation ?? null;
    expect((await fresh.write(`key/${slot}`, Uint8Array.of(slot), { ifGeneration: generation })).written).toBe(true);
  }
  expect((await readdir(join(folder, "key"))).sort()).toEqual(["0", "1", "2"]);
});

test("a living holder of a lock is waited for, a killed one is not", async () => {
  const store = fileKvStore(folder);
  await store.write("key", Uint8Array.of(1));
  const child = startChild(module, ["hold", folder, join(folder, "key.__lock")]);
  expect(await child.nextLine()).toBe("held");

  const reason = new Error("waited long enough");
  const controller = new AbortController();
  const waiting = store.write("key", Uint8Array.of(2), { signal: controller.signal });
  await sleep(80);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(1));
  expect((await readdir(folder)).sort()).toEqual(["key", "key.__lock"]);

  const patient = store.write("key", Uint8Array.of(3));
  await sleep(30);
  await child.kill();
  await patient;
  expect(await readValue(store, "key")).toEqual(Uint8Array.of(3));
  expect(await readdir(folder)).toEqual(["key"]);
});

test("a sweep spares the unfinished values of the living and removes those of the dead", async () => {
  await mkdir(join(folder, "dir"));
  await writeFile(join(folder, "dir/_00112233aabbccdd.__lock"), "half a val");
  await writeFile(join(folder, "dir/other.__lock"), "");
  const held = join(folder, "dir/_ffffffffffffffff.__lock");
  const child = startChild(module, ["hold", folder, held]);
  await child.nextLine();
  await fileKvStore(folder).write("dir/key", Uint8Array.of(1));
  expect((await readdir(join(folder, "dir"))).sort()).toEqual(["_ffffffffffffffff.__lock", "key"]);
  await child.kill();
  await fileKvStore(folder).deleteRange({ start: new Uint8Array(0) });
  expect(await readdir(folder)).toEqual([]);
});

test("writers in folders that others empty at the same time lose nothing", async () => {
  const children = ["a", "a0", "b"].map((own) => startChild(module, ["churn", folder, "60", own]));
  await all(children);
  expect(await readdir(folder)).toEqual([]);
});
