import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { openVolumeIn } from "@pcg/volume";
import { encodeInfo } from "neuroglancer-precomputed";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runToEnd, start } from "./support/command.ts";

let folder: string;
let volume: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pcg-proofreader-"));
  volume = join(folder, "labels");
  await writeStripes(volume);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("a volume is ingested and served, and a second start serves at once", async () => {
  const data = join(folder, "data");
  const args = ["--volume", volume, "--table", "stripes", "--data", data, "--port", "0", "--no-browser"];
  const first = await start(...args);
  expect(first.log).toContain("supervoxels");
  expect(await (await fetch(`${first.url}api/mistakes`)).json()).toEqual({ mistakes: [] });
  const merged = await merge(first.url, "stripes");
  expect(await first.stop("SIGTERM")).toBe(0);

  const second = await start(...args);
  expect(second.log).not.toContain("supervoxels");
  expect(await (await fetch(`${second.url}api/tables/stripes/operations`)).json()).toMatchObject({
    operations: [{ id: "1", kind: "merge", status: "done", newRoots: [merged] }],
  });
  expect(await second.stop("SIGINT")).toBe(0);
});

test("the page comes with a policy that keeps it on its origin, and with hashed files that may be kept", async () => {
  const data = join(folder, "data");
  const server = await start("--volume", volume, "--table", "stripes", "--data", data, "--port", "0", "--no-browser");
  const page = await fetch(server.url);
  expect(page.headers.get("content-security-policy")).toContain("connect-src 'self'");
  const html = await page.text();
  const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(html)![1]!;
  const asset = await fetch(server.url + script);
  expect(asset.headers.get("content-type")).toBe("text/javascript");
  expect(asset.headers.get("cache-control")).toContain("immutable");
  expect((await fetch(`${server.url}assets/..%2f..%2fmain.js`)).status).toBe(404);
  await server.stop("SIGTERM");
});

test("a taken port is told before anything is made", async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as { port: number };
  const data = join(folder, "port-taken");
  const { code, log } = await runToEnd("--data", data, "--port", String(port), "--no-browser");
  expect(code).toBe(1);
  expect(log).toContain(`port ${port} of 127.0.0.1 is taken`);
  expect(existsSync(data)).toBe(false);
  listener.close();
});

test("a table that another volume began is not mistaken for the tutorial", async () => {
  const data = join(folder, "unfinished");
  await mkdir(join(data, "stripes/rows"), { recursive: true });
  const { code, log } = await runToEnd("--data", data, "--table", "stripes", "--port", "0", "--no-browser");
  expect(code).toBe(2);
  expect(log).toContain("give its --volume again");
});

test("the bundle holds Neuroglancer's workers whole", async () => {
  const assets = new URL("../dist/page/assets/", import.meta.url);
  const { readdir, stat } = await import("node:fs/promises");
  const size = async (name: RegExp) => {
    const file = (await readdir(assets)).find((entry) => name.test(entry));
    return file === undefined ? 0 : (await stat(new URL(file, assets))).size;
  };
  expect(await size(/^chunk_worker\.bundle-.*\.js$/)).toBeGreaterThan(200_000);
  expect(await size(/^async_computation\.bundle-.*\.js$/)).toBeGreaterThan(50_000);
});

test.each([
  [["--volume", "/nowhere/at/all"], 1, /No volume in .*nowhere/],
  [["--volume", "wonder://x/y"], 1, /wonder/],
  [["--scale", "nosuch"], 1, /no scale "nosuch"; it has: 8_8_40/],
  [["--memory", "1M"], 1, /allow more memory/],
  [["--port", "70000"], 2, /port.*70000/],
  [["--chunk-size", "0,1,2"], 2, /three whole numbers/],
  [["--table", "../escape"], 2, /table "\.\.\/escape"/],
  [["--host", "0.0.0.0"], 2, /token/],
  [["--frobnicate"], 2, /unknown option/],
])("%j ends with %d and one explaining line", async (args, code, message) => {
  const data = join(folder, "refused");
  const ended = await runToEnd("--data", data, "--no-browser", ...args);
  expect(ended.code).toBe(code);
  const { log } = ended;
  expect(log).toMatch(message);
  expect(log).not.toMatch(/\n\s+at /);
  expect(existsSync(data)).toBe(false);
  expect(existsSync(join(data, "..", "escape"))).toBe(false);
});

test("the version is that of the package", async () => {
  const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
  expect(await runToEnd("--version")).toEqual({ code: 0, output: `${version}\n`, log: "" });
});

test("a volume that cannot be ingested as asked leaves no data folder", async () => {
  const data = join(folder, "refused");
  const ended = await runToEnd("--data", data, "--port", "0", "--no-browser", "--volume", volume, "--scale", "nosuch");
  expect(ended).toMatchObject({ code: 1, log: expect.stringMatching(/no scale "nosuch"; it has: 8_8_40/) });
  expect(existsSync(data)).toBe(false);
});

/** Four slabs of different labels, 64 × 48 × 8 voxels, in two chunks. */
async function writeStripes(target: string): Promise<void> {
  const store = fileKvStore(target, { fsync: false });
  const size = [64, 48, 8] as const;
  const scale = {
    key: "8_8_40",
    size,
    resolution: [8, 8, 40],
    voxel_offset: [5, -7, 11],
    chunk_sizes: [[32, 48, 8]],
    encoding: "raw",
  } as const;
  await store.write(
    "info",
    encodeInfo({ type: "segmentation", data_type: "uint64", num_channels: 1, scales: [scale] }),
  );
  const labels = new BigUint64Array(64 * 48 * 8).map((_, i) => BigInt(1 + Math.floor((Math.floor(i / 64) % 48) / 12)));
  const opened = await openVolumeIn(store, "neuroglancer-precomputed", { writable: true });
  await opened.scales[0]!.write({ begin: [5, -7, 11], end: [69, 41, 19] }, labels);
  await opened.close();
}

/** Merges the two objects at two neighbouring stripes; returns the new root. */
async function merge(url: string, table: string): Promise<string> {
  const api = `${url}segmentation/api/v1/table/${table}`;
  const point = async (y: number) => {
    const lookUp = await fetch(`${api}/supervoxel_lookup?int64_as_str=1`, {
      method: "POST",
      body: JSON.stringify({ voxels: [[10, y, 12]] }),
    });
    const { supervoxel_ids } = (await lookUp.json()) as { supervoxel_ids: string[] };
    return [supervoxel_ids[0], 10 * 8, y * 8, 12 * 40];
  };
  const body = JSON.stringify([await point(0), await point(10)]);
  const answer = await fetch(`${api}/merge?int64_as_str=1`, { method: "POST", body });
  return ((await answer.json()) as { new_root_ids: string[] }).new_root_ids[0]!;
}
