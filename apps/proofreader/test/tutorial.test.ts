import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, spawnCommand, start } from "./support/command.ts";

type Voxel = [number, number, number];

const serving = ["--port", "0", "--no-browser"];
/** Where the README's example looks: beside it. */
const name = "proofreading";
let folder: string;
let first: Started;

// Making the tutorial volume takes seconds: the first start does it, and the tests share what it made.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pcg-tutorial-"));
  first = await start("--data", join(folder, name), ...serving);
}, 120_000);

afterAll(async () => {
  await first.stop("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

test("without a volume the tutorial is made, with its list of mistakes", async () => {
  const truth = JSON.parse(await readFile(join(folder, name, "tutorial/source/ground-truth.json"), "utf8"));
  expect(truth.errors.length).toBeGreaterThan(40);
  const { tables } = (await (await fetch(`${first.url}api/tables`)).json()) as { tables: { hasImage: boolean }[] };
  expect(tables).toMatchObject([{ name: "tutorial", hasImage: true, voxelOffset: [1024, 768, 96] }]);
});

test("a place to begin with is told: the README's first mistake, whose two sides are different objects", async () => {
  const { mistakes } = (await (await fetch(`${first.url}api/mistakes`)).json()) as { mistakes: [Voxel, Voxel][] };
  expect(mistakes.length).toBeGreaterThan(20);
  const [here, there] = mistakes[0]!;
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const middle = here.map((value, axis) => (value + there[axis]!) / 2);
  expect(readme.replaceAll(/\s+/g, " ")).toContain(`at first to voxel ${middle.join(", ")},`);
  const { root_ids } = (await (
    await fetch(`${first.url}segmentation/api/v1/table/tutorial/supervoxel_lookup?int64_as_str=1`, {
      method: "POST",
      body: JSON.stringify({ voxels: mistakes.flat() }),
    })
  ).json()) as { root_ids: string[] };
  for (let i = 0; i < root_ids.length; i += 2) expect(root_ids[i]).not.toBe(root_ids[i + 1]);
  expect(root_ids).not.toContain("0");
});

test("a stop while ingesting ends at once, and the next start goes on with the same volume", async () => {
  const data = join(folder, "stopped");
  const source = join(data, "tutorial/source");
  await cp(join(folder, name, "tutorial/source"), source, { recursive: true });
  const { ino } = await stat(source);
  const child = spawnCommand("--data", data, ...serving);
  const ended = new Promise((resolve) => child.on("close", resolve));
  await new Promise<void>((resolve) => {
    child.stderr!.on("data", (text) => {
      if (String(text).includes("supervoxels")) resolve();
    });
  });
  child.kill("SIGTERM");
  expect(await ended).toBe(1);
  const server = await start("--data", data, ...serving);
  expect((await fetch(`${server.url}segmentation/table/tutorial/info`)).status).toBe(200);
  expect(await server.stop("SIGTERM")).toBe(0);
  expect((await stat(source)).ino).toBe(ino);
});

test("the README's example runs", async () => {
  await first.stop("SIGTERM");
  // With Node alone, from the build: threads of the ingest are JavaScript files.
  const app = new URL("../", import.meta.url);
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(new URL("README.md", app), "utf8"))![1]!;
  await mkdir(new URL(".vitest/", app), { recursive: true });
  const file = fileURLToPath(new URL(".vitest/readme-example.mjs", app));
  await writeFile(file, `${example}\nconsole.log(JSON.stringify(health));\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
  expect(JSON.parse(stdout)).toMatchObject({ status: "ok", tables: 1 });
});
