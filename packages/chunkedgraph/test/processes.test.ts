import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import { Random } from "@pcg/testkit";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import { openGraph } from "../src/graph.ts";
import { buildGraph, INGEST_TIME } from "./support/build-graph.ts";
import { gridGraph } from "./support/grid-graph.ts";
import { Oracle, partition } from "./support/oracle.ts";

const folder = await mkdtemp(join(tmpdir(), "pcg-chunkedgraph-"));
const program = fileURLToPath(new URL("../.vitest/merging-process.mjs", import.meta.url));
const running = new Set<ChildProcess>();

beforeAll(async () => {
  await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@pcg/source"] },
    build: {
      ssr: fileURLToPath(new URL("support/merging-process.ts", import.meta.url)),
      outDir: fileURLToPath(new URL("../.vitest", import.meta.url)),
      emptyOutDir: false,
      target: "node20",
      rollupOptions: { output: { entryFileNames: "merging-process.mjs" } },
    },
    ssr: { noExternal: [/^@pcg\//], external: ["lmdb"], resolve: { conditions: ["@pcg/source"] } },
  });
});

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

interface Merging {
  readonly child: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<unknown>;
}

/** Starts a process that merges; what it was told is done goes into `acknowledged`. */
function start(path: string, seed: number, most: number, acknowledged: string[]): Merging {
  const child = spawn(process.execPath, [program, path, String(seed), String(most)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.add(child);
  const lines = createInterface({ input: child.stdout! });
  const ready = Promise.race([once(lines, "line"), once(child, "exit")]);
  lines.on("line", (line) => {
    if (line !== "ready") acknowledged.push(line);
  });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]);
  child.once("exit", () => running.delete(child));
  return { child, ready, ended };
}

/** The log is complete, every acknowledged merge is in it, and the graph is at every time what the log says. */
async function verify(path: string, acknowledged: readonly string[]): Promise<number> {
  const rows = await openLmdbRowStore(path);
  expect((await checkGraph(rows)).violations).toEqual([]);
  const graph = await openGraph({ rows });
  const { supervoxels } = gridGraph();
  const oracle = new Oracle(INGEST_TIME, supervoxels, []);
  const done = new Set<string>();
  for await (const operation of graph.history.operationsBetween(0n, 1n << 62n)) {
    if (operation.status !== "done") continue;
    const [a, b] = operation.supervoxels;
    expect(oracle.together(a!, b!)).toBe(false);
    oracle.merge(a!, b!, operation.time);
    done.add(`${operation.id} ${operation.time} ${a} ${b}`);
  }
  expect(acknowledged.filter((line) => !done.has(line))).toEqual([]);
  const ids = BigUint64Array.from(supervoxels);
  for (const time of oracle.times.filter((_, i, all) => i % 10 === 0 || i === all.length - 1)) {
    const roots = await (await graph.view(time)).roots(ids);
    expect(partition(supervoxels.map((id, i) => [id, roots[i]!]))).toEqual(oracle.objectsAt(time));
  }
  await rows.close();
  return done.size;
}

test("merges of several processes at once are all there, one after another", async () => {
  const path = join(folder, "together");
  const store = await openLmdbRowStore(path);
  await buildGraph(gridGraph(), store);
  await store.close();
  const acknowledged: string[] = [];
  const merging = [1, 2, 3].map((seed) => start(path, seed, 25, acknowledged));
  await Promise.all(merging.map(({ ended }) => ended));
  expect(merging.map(({ child }) => child.exitCode)).toEqual([0, 0, 0]);
  expect(acknowledged).toHaveLength(75);
  expect(await verify(path, acknowledged)).toBe(75);
}, 120_000);

test("processes killed at any moment lose no acknowledged merge and leave a sound graph", async () => {
  const path = join(folder, "killed");
  const store = await openLmdbRowStore(path);
  await buildGraph(gridGraph(), store);
  await store.close();
  const acknowledged: string[] = [];
  const random = new Random(7);
  let seed = 0;
  for (let round = 0; round < 5; round++) {
    const merging = [start(path, ++seed, 1e9, acknowledged), start(path, ++seed, 1e9, acknowledged)];
    await Promise.all(merging.map(({ ready }) => ready));
    for (const { child } of merging) {
      await new Promise((resolve) => setTimeout(resolve, random.between(20, 150)));
      child.kill("SIGKILL");
    }
    await Promise.all(merging.map(({ ended }) => ended));
    expect(await verify(path, acknowledged)).toBeGreaterThanOrEqual(acknowledged.length);
  }
  expect(acknowledged.length).toBeGreaterThan(10);
}, 120_000);
