import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Random } from "@pcg/testkit";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeCounter, encodeCounter, readRow, readRows } from "../src/index.ts";
import { openLmdbRowStore } from "../src/lmdb.ts";

const folder = await mkdtemp(join(tmpdir(), "pcg-rowstore-"));
const program = fileURLToPath(new URL("../.vitest/worker-process.mjs", import.meta.url));
const running = new Set<ChildProcess>();

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: fileURLToPath(new URL("worker-process.ts", import.meta.url)),
      outDir: fileURLToPath(new URL("../.vitest", import.meta.url)),
      emptyOutDir: false,
      target: "node20",
      rollupOptions: { output: { entryFileNames: "worker-process.mjs" } },
    },
    ssr: { external: ["lmdb"] },
  });
});

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

function start(...args: (string | number)[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args.map(String)], { stdio: ["pipe", "pipe", "inherit"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const column = { family: "f", qualifier: bytes("n") };

test("guarded transactions of several processes on the same rows are all counted, exactly", async () => {
  const path = join(folder, "count");
  const [processes, each, rows] = [4, 60, 3];
  const children = Array.from({ length: processes }, () => start(path, "count", each, rows));
  const codes = await Promise.all(children.map((child) => once(child, "exit")));
  expect(codes.map(([code]) => code)).toEqual(Array.from({ length: processes }, () => 0));
  const store = await openLmdbRowStore(path);
  const found = await readRows(store, { ranges: [{ start: bytes("row "), end: bytes("row!") }] });
  const counts = found.map(({ cells }) => decodeCounter(cells[0]!.value));
  expect(counts.reduce((a, b) => a + b)).toBe(BigInt(2 * processes * each));
  // The history of every row is 1, 2, 3, … without a gap: no commit overwrote another.
  for (const { cells } of found) {
    expect(cells.map(({ value }) => decodeCounter(value))).toEqual(cells.map((_, i) => BigInt(cells.length - i)));
  }
  const attempts = decodeCounter((await readRow(store, bytes("attempts"), { versions: 1 }))!.cells[0]!.value);
  expect(attempts).toBeGreaterThan(processes * each); // There were conflicts, or this proved nothing.
  await store.close();
});

test("killed at any moment, a writer leaves no half transaction and loses nothing it was told is durable", async () => {
  const path = join(folder, "killed");
  const random = new Random(7);
  const acknowledged = new Set<number>();
  const store = await openLmdbRowStore(path);
  for (let round = 0; round < 6; round++) {
    const child = start(path, "pairs", round * 1_000_000);
    const lines = createInterface({ input: child.stdout! });
    let heard = 0;
    const quit = random.between(1, 400);
    lines.on("line", (line) => {
      acknowledged.add(Number(line));
      if (++heard === quit) setTimeout(() => child.kill("SIGKILL"), random.below(4));
    });
    await Promise.all([once(child, "exit"), once(lines, "close")]);

    // What this process, which had the folder open all along, sees, and what one that opens it now would.
    const numbers = async (side: string) => {
      const rows = await readRows(store, { ranges: [{ start: bytes(`${side} `), end: bytes(`${side}!`) }] });
      return rows.map(({ key }) => Number(new TextDecoder().decode(key).slice(side.length + 1)));
    };
    const left = await numbers("left");
    expect(await numbers("right")).toEqual(left);
    const there = new Set(left);
    expect([...acknowledged].filter((n) => !there.has(n))).toEqual([]);
    // The writer lock of the dead is free.
    expect(await store.increment(bytes("rounds"), column, 1n)).toBe(BigInt(round + 1));
  }
  expect(acknowledged.size).toBeGreaterThan(100);
  await store.close();
});

test("another process sees a write as soon as it is acknowledged", async () => {
  const path = join(folder, "seen");
  const store = await openLmdbRowStore(path);
  const child = start(path, "echo");
  const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  expect((await answers.next()).value).toBe("ready");
  for (let n = 1n; n <= 100n; n++) {
    if (n % 2n === 0n)
      await store.transact(
        [],
        [{ key: bytes("x"), ops: [{ op: "set", column, value: encodeCounter(n), timestamp: n }] }],
      );
    else await store.mutate([{ key: bytes("x"), ops: [{ op: "set", column, value: encodeCounter(n), timestamp: n }] }]);
    child.stdin!.write("x\n");
    expect((await answers.next()).value).toBe(String(n));
  }
  child.stdin!.end();
  await once(child, "exit");
  await store.close();
});

test("readers that scan without end in other processes do not make the file grow without end", async () => {
  const path = join(folder, "scanned");
  const store = await openLmdbRowStore(path);
  const value = new Uint8Array(2000);
  const write = (version: number) =>
    store.mutate(
      Array.from({ length: 2000 }, (_, i) => ({
        key: bytes(`row ${i}`),
        ops: [{ op: "set", column, value: value.fill(version), timestamp: 1n } as const],
      })),
    );
  await write(0);
  const children = [start(path, "scan"), start(path, "scan")];
  const sizes: number[] = [];
  const scans = children.map((child) => createInterface({ input: child.stdout! })[Symbol.asyncIterator]());
  for (let version = 1; version <= 30; version++) {
    await write(version);
    await Promise.all(scans.map((scan) => scan.next()));
    sizes.push((await stat(join(path, "data.mdb"))).size);
  }
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => once(child, "exit")));
  // 2000 rows of 2000 bytes are 4 MB, or twice that in pages; every rewrite makes as much garbage.
  expect(sizes.at(-1)!).toBeLessThan(60e6);
  await store.close();
});

test.skipIf(process.platform === "win32")("when the system refuses to write, nothing half written stays", async () => {
  const path = join(folder, "full");
  // A limit on the size of files, without its signal, makes writing beyond it an error, as a broken disk would.
  const limited = `trap '' XFSZ; ulimit -c 0; ulimit -f 4000; exec "$0" "$@"`;
  const child = spawn("sh", ["-c", limited, process.execPath, program, path, "full"], {
    // LMDB reports each failed write on standard error by itself.
    stdio: ["pipe", "pipe", "ignore"],
  });
  running.add(child);
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  // Not its exit code: composing the error message, LMDB 3.5.6 writes past a buffer, which may abort the process.
  await once(child, "close");
  running.delete(child);
  const acknowledged = lines.filter((line) => /^\d+$/.test(line));
  expect(acknowledged.length).toBeGreaterThan(10);
  for (const line of lines.slice(acknowledged.length)) expect(line).toMatch(/^WRITE_FAILED .*free space/);

  // Where there is room again, everything acknowledged is there, in pairs, and the store takes writes.
  const store = await openLmdbRowStore(path);
  const left = await readRows(store, { ranges: [{ start: bytes("left "), end: bytes("left!") }] });
  const right = await readRows(store, { ranges: [{ start: bytes("right "), end: bytes("right!") }] });
  expect(left.length).toBe(acknowledged.length);
  expect(right.length).toBe(left.length);
  expect(await store.increment(bytes("after"), column, 1n)).toBe(1n);
  await store.close();
});
