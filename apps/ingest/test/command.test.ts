import { existsSync, readFileSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { fileKvStore } from "@pcg/kvstore/file";
import { dataFolder, Random } from "@pcg/testkit";
import { createVolumeIn } from "@pcg/volume";
import { expect, test } from "vitest";
import { run, start, withFolder } from "./command.ts";
import { readTable } from "./table.ts";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const data = dataFolder("segmentation-small");
/** Small chunks, so that there are many tasks to be interrupted. */
const chunks = ["--chunk-size", "64,48,50"];

test.skipIf(!data)("a volume is ingested, reported, and not ingested again", async () => {
  await withFolder(async (folder) => {
    const csv = join(folder, "labels.csv");
    const args = ["--volume", data!, "--data", folder, "--table", "small", "--json"];
    const first = await run(...args, "--labels-csv", csv);
    expect(first).toMatchObject({ code: 0 });
    const report = JSON.parse(first.stdout);
    expect(report).toMatchObject({
      outcome: "new",
      labels: 94,
      roots: 94,
      supervoxels: 352,
      chunkSize: [128, 128, 64],
    });
    expect(report.edges.crossChunk).toBe(227);
    expect(await readdir(join(folder, "small"))).toEqual(["rows", "supervoxels"]);
    await readTable(join(folder, "small"));

    const lines = (await readFile(csv, "utf8")).trimEnd().split("\n");
    expect(lines[0]).toBe("label,root");
    expect(new Set(lines.map((line) => line.split(",")[0]))).toHaveProperty("size", 95);
    expect(new Set(lines.map((line) => line.split(",")[1]))).toHaveProperty("size", 95);

    const second = await run(...args);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({
      outcome: "nothing to do",
      labels: 94,
      roots: 94,
      supervoxels: 352,
    });
    expect(await run(...args, "--labels-csv", csv)).toMatchObject({ code: 2, stderr: expect.stringMatching(/labels/) });
    expect(await run(...args, "--connectivity", "6")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/26, not 6/),
    });
  });
});

test.skipIf(!data)("a complete table needs its source no more, but does not stand for another one", async () => {
  await withFolder(async (folder) => {
    const volume = join(folder, "volume");
    await cp(data!, volume, { recursive: true });
    const place = ["--data", join(folder, "data"), "--json"];
    expect((await run("--volume", volume, ...place)).code).toBe(0);
    await rm(volume, { recursive: true });
    for (const address of [
      volume,
      `precomputed://file://${volume}`,
      `${pathToFileURL(volume)}|neuroglancer-precomputed:`,
    ]) {
      const again = await run("--volume", address, ...place);
      expect(again).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(again.stdout)).toMatchObject({ outcome: "nothing to do", labels: 94, supervoxels: 352 });
    }
    expect(await run("--volume", volume, ...place, "--connectivity", "6")).toMatchObject({ code: 1, stdout: "" });
    expect(await run("--volume", `${volume}2`, ...place)).toMatchObject({ code: 1, stdout: "" });
  });
});

test.skipIf(!data)(
  "an ingest killed again and again ends with the rows and voxels of one that was not",
  async () => {
    await withFolder(async (folder) => {
      const args = ["--volume", data!, "--table", "small", ...chunks, "--data"];
      const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
      expect((await run(...args, whole)).code).toBe(0);
      const random = new Random(4);
      let kills = 0;
      for (let finished = false; !finished; ) {
        const { child, outcome } = start([...args, killed, "--resume"]);
        // Later and later, so that each part of the work is reached by some run and the loop ends.
        const timer = setTimeout(random.between(250, 500) * 1.25 ** kills, undefined, { ref: false });
        await Promise.race([timer, outcome]);
        const signal = random.below(3) === 0 ? "SIGINT" : "SIGKILL";
        child.kill(signal);
        const { code, stderr } = await outcome;
        finished = code === 0;
        if (!finished) kills++;
        if (code !== null && code !== 0) expect(stderr).toMatch(/interrupted by SIGINT/);
      }
      expect(kills).toBeGreaterThan(2);
      expect(await readTable(join(killed, "small"))).toEqual(await readTable(join(whole, "small")));
      const files = await readdir(join(killed, "small"), { recursive: true });
      expect(files.filter((name) => name.endsWith(".__lock"))).toEqual([]);
    });
  },
  120_000,
);

test.skipIf(!data)(
  "two ingests into one table at the same time make one graph",
  async () => {
    await withFolder(async (folder) => {
      const args = ["--volume", data!, "--table", "small", ...chunks, "--data"];
      const [shared, alone] = [join(folder, "shared"), join(folder, "alone")];
      const both = await Promise.all([1, 2].map(() => run(...args, shared, "--resume")));
      expect(both.map(({ code, stderr }) => [code, code === 0 ? "" : stderr])).toEqual([
        [0, ""],
        [0, ""],
      ]);
      expect((await run(...args, alone)).code).toBe(0);
      expect(await readTable(join(shared, "small"))).toEqual(await readTable(join(alone, "small")));
    });
  },
  120_000,
);

test.skipIf(!data)("a refused ingest leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const floats = join(folder, "floats");
    await writeFloats(floats);
    const place = join(folder, "data");
    const blocked = join(folder, "blocked");
    await writeFile(blocked, "");
    const cases: readonly (readonly [volume: string, options: readonly string[], message: RegExp])[] = [
      [data!, ["--scale", "nosuch"], /no scale "nosuch"; it has: \w/],
      [floats, [], /float32 values; labels are integers/],
      [
        data!,
        ["--chunk-size", "999999999,1,1", "--connectivity", "6", "--memory", "1M"],
        /more memory, or .*chunk size/,
      ],
      [data!, ["--labels-csv", join(blocked, "labels.csv")], /--labels-csv .*blocked/],
    ];
    for (const [volume, options, message] of cases) {
      const outcome = await run("--volume", volume, "--data", place, ...options);
      expect(outcome).toMatchObject({ stdout: "", stderr: expect.stringMatching(message) });
      expect(outcome.code).toBeGreaterThan(0);
      expect((await readdir(folder)).sort()).toEqual(["blocked", "floats"]);
    }
    const csv = join(place, "lists", "labels.csv");
    expect(await run("--volume", data!, "--data", place, "--labels-csv", csv)).toMatchObject({ code: 0 });
    expect(existsSync(csv)).toBe(true);
  });
});

test("wrong usage ends with 2 and one message, failures with 1, and neither prints a stack", async () => {
  await withFolder(async (folder) => {
    const place = ["--data", folder];
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[], 2, /--volume/],
      [["--volume", "x", ...place, "--wrong"], 2, /--wrong/],
      [["--volume", "x", ...place, "--chunk-size", "64,64"], 2, /64,64.*three whole numbers/s],
      [["--volume", "x", ...place, "--connectivity", "18"], 2, /18.*6 or 26/s],
      [["--volume", "x", ...place, "--table", "../x"], 2, /no name of a table/],
      [["--volume", "x", ...place, "--memory", "-1"], 2, /-1/],
      [["--volume", join(folder, "nothing"), ...place], 1, /No volume/],
      [["--volume", "ftp://host/seg", ...place], 1, /ftp/],
    ];
    for (const [args, code, message] of cases) {
      const outcome = await run(...args);
      expect(outcome).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
      expect(outcome.stderr).not.toMatch(/\n\s+at /);
    }
    expect(await readdir(folder)).toEqual([]);
    expect(await run("--version")).toMatchObject({ code: 0, stdout: `${manifest.version}\n` });
    expect(await run("--help")).toMatchObject({ code: 0, stdout: expect.stringMatching(/--split-disconnected/) });
  });
}, 60_000);

/** An image of floats, which is no segmentation. */
async function writeFloats(folder: string): Promise<void> {
  const place = { size: [8, 8, 8], resolution: [8, 8, 40], voxelOffset: [0, 0, 0], chunkSize: [8, 8, 8] } as const;
  const scales = [place];
  const options = { kind: "image", dataType: "float32", scales } as const;
  const volume = await createVolumeIn(fileKvStore(folder, { fsync: false }), "neuroglancer-precomputed", options);
  await volume.close();
}
