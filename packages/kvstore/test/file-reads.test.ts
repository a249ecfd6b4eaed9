/** Reads of one file that are asked for at once. */
import { truncateSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "@pcg/testkit";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const calls = vi.hoisted(() => ({
  open: new Set<number>(),
  opening: 0,
  mostOpen: 0,
  read: 0,
  readv: 0,
  bytes: 0,
  fail: false,
  before: (): void => {},
}));
vi.mock("node:fs", async (importActual) => {
  const fs = await importActual<typeof import("node:fs")>();
  const counted = {
    ...fs,
    open: (...[path, flags, done]: [string, number, (error: Error | null, file: number) => void]) => {
      calls.opening++;
      calls.mostOpen = Math.max(calls.mostOpen, calls.open.size + calls.opening);
      fs.open(path, flags, (error, file) => {
        calls.opening--;
        if (error === null) calls.open.add(file);
        done(error, file);
      });
    },
    closeSync: (file: number) => {
      calls.open.delete(file);
      fs.closeSync(file);
    },
    read: (...args: Parameters<typeof fs.read>) => {
      calls.read++;
      fs.read(...args);
    },
    readv: (...[file, buffers, position, done]: Parameters<typeof fs.readv>) => {
      calls.readv++;
      calls.before();
      for (const { byteLength } of buffers) calls.bytes += byteLength;
      if (calls.fail) done(new Error("refused"), 0, buffers);
      else fs.readv(file, buffers, position as number, done);
    },
  };
  return { ...counted, default: counted };
});
const { fileKvStore } = await import("../src/file.ts");

const size = 3 << 20;
const content = new Random(1).bytes(size);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pcg-reads-"));
  await writeFile(join(folder, "value"), content);
  Object.assign(calls, { read: 0, readv: 0, bytes: 0, fail: false, before: () => {} });
});
afterEach(() => rm(folder, { recursive: true }));

interface Extent {
  readonly offset: number;
  readonly length: number;
}

async function readAll(extents: readonly Extent[]): Promise<void> {
  const store = fileKvStore(folder);
  const results = await Promise.all(extents.map((range) => store.read("value", { range })));
  for (const [i, { offset, length }] of extents.entries()) {
    const { value, size: whole } = results[i]!;
    expect(Buffer.compare(value, content.subarray(offset, offset + length))).toBe(0);
    // A buffer of its own: nothing of what lies around it.
    expect(value.buffer.byteLength).toBe(value.length);
    expect(whole).toBe(size);
  }
}

test("ranges that lie near one another are one request, in whatever order they are asked for", async () => {
  const extents = Array.from({ length: 100 }, (_, i) => ({ offset: ((i * 37) % 100) * 8000, length: 500 }));
  await readAll(extents);
  expect(calls).toMatchObject({ read: 0, readv: 1, bytes: 99 * 8000 + 500 });
});

test("holes beyond 64 KiB are not read, and requests end at 1 MiB", async () => {
  await readAll([
    { offset: 0, length: 10 },
    { offset: 10 + (64 << 10) + 1, length: 10 },
  ]);
  expect(calls).toMatchObject({ read: 2, readv: 0 });
  await readAll(Array.from({ length: 48 }, (_, i) => ({ offset: i << 16, length: 10 })));
  expect(calls.readv).toBe(3);
});

test("ranges that overlap, are the same, are empty or reach past the end are answered as if they were alone", async () => {
  const random = new Random(2);
  const extents: Extent[] = [
    { offset: 5, length: 0 },
    { offset: 5, length: 10 },
    { offset: 5, length: 10 },
  ];
  for (let i = 0; i < 300; i++) {
    extents.push({ offset: random.below(size), length: random.below(4) === 0 ? 200_000 : random.below(300) });
  }
  extents.push({ offset: size - 3, length: 10 }, { offset: size + 7, length: 10 }, extents[9]!, extents[9]!);
  await readAll(extents);
});

test("more ranges than the system takes buffers are several requests", async () => {
  await readAll(Array.from({ length: 2000 }, (_, i) => ({ offset: i * 20, length: 10 })));
  expect(calls).toMatchObject({ read: 0, readv: 4 });
});

test("when a request for many fails, each is asked for alone", async () => {
  calls.fail = true;
  await readAll([
    { offset: 0, length: 10 },
    { offset: 20, length: 10 },
  ]);
  expect(calls).toMatchObject({ read: 2, readv: 1 });
});

test("any number of files may be asked for at once, of which some are open at a time", async () => {
  const store = fileKvStore(folder);
  for (let i = 0; i < 700; i++) await writeFile(join(folder, `${i}`), `${i}`);
  calls.mostOpen = 0;
  const found = await Promise.all(Array.from({ length: 701 }, (_, i) => store.read(`${i}`)));
  expect(found.pop()).toBeUndefined();
  expect(found.every((result, i) => Buffer.from(result!.value).toString() === `${i}`)).toBe(true);
  expect(calls.mostOpen).toBeGreaterThan(128);
  expect(calls.mostOpen).toBeLessThanOrEqual(256);
});

describe("among reads at once", () => {
  test("each is told of its own failure", async () => {
    const store = fileKvStore(folder);
    const reason = new Error("given up");
    const { generation } = (await store.read("value"))!;
    const results = await Promise.allSettled([
      store.read("value", { range: { offset: 0, length: 10 } }),
      store.read("value", { range: { offset: -1, length: 10 } }),
      store.read("value", { range: { offset: 30, length: 10 }, signal: AbortSignal.abort(reason) }),
      store.read("value", { range: { offset: 20, length: 10 }, ifNotGeneration: generation }),
      store.read("value", { range: { offset: 20, length: 10 }, ifNotGeneration: "another" }),
      store.read("missing"),
    ]);
    expect(results[0]).toMatchObject({ value: { value: content.slice(0, 10) } });
    expect(results[1]).toMatchObject({ reason: expect.any(RangeError) });
    expect(results[2]).toMatchObject({ reason });
    expect(results[3]).toMatchObject({ value: "unchanged" });
    expect(results[4]).toMatchObject({ value: { value: content.slice(20, 30) } });
    expect(results[5]).toMatchObject({ value: undefined });
  });

  test("one that is asked for after a write has ended sees it", async () => {
    const store = fileKvStore(folder);
    const before = store.read("value", { range: { offset: 0, length: 4 } });
    await store.write("value", new Uint8Array([1, 2, 3, 4]));
    const after = store.read("value", { range: { offset: 0, length: 4 } });
    expect((await after)!.value).toEqual(new Uint8Array([1, 2, 3, 4]));
    expect((await before)!.value.length).toBe(4);
  });

  test("bytes that are gone are an error, not zeros", async () => {
    const store = fileKvStore(folder);
    // After the size was looked at, before the bytes are read.
    calls.before = () => truncateSync(join(folder, "value"), (1 << 20) + 5);
    const reads = [1 << 20, (1 << 20) + 1000].map((offset) => store.read("value", { range: { offset, length: 10 } }));
    for (const result of await Promise.allSettled(reads)) {
      expect(result).toMatchObject({ reason: { name: "KvStoreError", code: "corrupt" } });
    }
    expect(calls.readv).toBe(1);
  });
});
