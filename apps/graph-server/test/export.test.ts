import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { dataFolder, Random } from "@pcg/testkit";
import { openVolume } from "@pcg/volume";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli } from "../src/cli.ts";
import { toIso } from "../src/http/time-text.ts";
import { openTable } from "../src/open-tables.ts";
import { type Outcome, start } from "./support/process.ts";
import { type DataFolder, dataFolderOf, foam, OFFSET, SIZE } from "./support/real-table.ts";

const run = (...args: string[]): Promise<Outcome> => start("graph-server", ["export", ...args]).outcome;

/** All labels of a volume. */
async function readAll(url: string): Promise<BigUint64Array> {
  const volume = await openVolume(url, { open: (address) => openKvStore(address, fileDriver()) });
  const { voxelOffset: begin, size } = volume.scales[0]!;
  const end = [begin[0] + size[0], begin[1] + size[1], begin[2] + size[2]] as const;
  return BigUint64Array.from((await volume.scales[0]!.readLabels({ begin, end })) as BigUint64Array);
}

describe("the command export", () => {
  let data: DataFolder;
  const labels = foam(new Random(5), 12);
  beforeAll(async () => {
    data = await dataFolderOf(labels);
  });
  afterAll(() => data.remove());

  test("writes what people have merged, or what was before, in the format that the URL names", async () => {
    const table = await openTable(data.path, "foam");
    const border = labels.findIndex(
      (label, i) => label !== 0n && labels[i + 1]! !== 0n && labels[i + 1] !== label && (i + 1) % SIZE[0] !== 0,
    );
    const at = (i: number): [number, number, number] => [
      OFFSET[0] + (i % SIZE[0]),
      OFFSET[1] + (Math.floor(i / SIZE[0]) % SIZE[1]),
      OFFSET[2] + Math.floor(i / (SIZE[0] * SIZE[1])),
    ];
    const supervoxels = await table.graph.supervoxelsAt([at(border), at(border + 1)]);
    const [a, b] = [0, 1].map((n) => ({ id: supervoxels[n]!, position: at(border + n) }));
    const { newRoots, time } = await table.graph.merge({ user: "ann", picks: [a!, b!] });
    const { ingestTime } = table.graph.settings;
    await table.close();
    const [first, second] = [labels[border]!, labels[border + 1]!];

    const options = ["--data", data.path, "--table", "foam", "--json"];
    const now = await run(...options, "--to", join(data.path, "now"), "--parallel", "2");
    expect(now).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^objects: 0 of 12\n(.*\n)*objects: 12 of 12\n$/),
    });
    const report = JSON.parse(now.stdout);
    expect(report).toMatchObject({
      table: "foam",
      outcome: "new",
      size: SIZE,
      chunkSize: [32, 32, 32],
      objects: new Set(labels.filter((label) => label !== 0n)).size - 1,
    });
    expect(new Date(report.time).getTime()).toBe(Number(time / 1000n));
    const objects = await readAll(report.url);
    const rootOf = new Map<bigint, bigint>([[0n, 0n]]);
    for (const [i, label] of labels.entries()) rootOf.set(label, objects[i]!);
    expect(objects).toEqual(labels.map((label) => rootOf.get(label)!));
    expect([rootOf.get(first), rootOf.get(second)]).toEqual([newRoots[0], newRoots[0]]);
    expect(new Set(rootOf.values()).size).toBe(rootOf.size - 1);

    const before = (Number(time) - 1) / 1e6;
    const past = await run(
      ...options,
      "--to",
      `file://${data.path}/past|zarr3:`,
      "--time",
      before.toFixed(6),
      "--sharded",
    );
    expect(past).toMatchObject({ code: 0 });
    const then = await readAll(`${data.path}/past`);
    const rootThen = new Map<bigint, bigint>();
    for (const [i, label] of labels.entries()) rootThen.set(label, then[i]!);
    expect(then).toEqual(labels.map((label) => rootThen.get(label)!));
    expect(new Set(rootThen.values()).size).toBe(rootThen.size);
    expect(await readdir(join(data.path, "past/0/c/0/0"))).toEqual(["0"]);

    const again = await run(...options, "--to", join(data.path, "now"), "--time", toIso(ingestTime));
    const times = [report.time, toIso(ingestTime, "T")].map((text) => text.replace("+00:00", "Z"));
    expect(again).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`${times[0]}, not at ${times[1]}`),
    });
    expect(await readAll(report.url)).toEqual(objects);
  }, 30_000);

  test("says what is wrong with its options, exits with 2, and writes nothing", async () => {
    const place = ["--data", data.path, "--table", "foam"];
    const to = join(data.path, "nothing");
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [[...place], 2, /--to/],
      [["--data", data.path, "--to", to], 2, /--table/],
      [[...place, "--to", to, "--time", "yesterday"], 2, /yesterday.*seconds since 1970/s],
      [[...place, "--to", to, "--encoding", "jpeg"], 2, /compressed_segmentation, raw/],
      [[...place, "--to", `${to}|zarr2:`, "--sharded"], 2, /zarr v2 has no shards/],
      [[...place, "--to", `${to}|zarr3:`, "--encoding", "raw"], 2, /precomputed/],
      [["--data", data.path, "--table", "other", "--to", to], 1, /no table "other"/],
      [[...place, "--to", `${to}|n5:`], 1, /n5/],
    ];
    for (const [args, code, message] of cases) {
      let [stdout, stderr] = ["", ""];
      const surroundings = {
        env: {},
        stop: new AbortController().signal,
        out: (text: string) => {
          stdout += text;
        },
        err: (text: string) => {
          stderr += text;
        },
      };
      expect(await cli(["export", ...args], surroundings)).toBe(code);
      expect(stdout).toBe("");
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(await readdir(data.path)).not.toContain("nothing");
  }, 30_000);
});

const small = dataFolder("segmentation-small");

test.skipIf(!small)(
  "an export of real data that is killed again and again ends with the objects of the ingest, voxel by voxel",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pcg-export-"));
    try {
      const data = ["--data", join(folder, "data"), "--table", "small"];
      const csv = join(folder, "labels.csv");
      const ingest = ["--volume", small!, ...data, "--chunk-size", "64,48,50", "--labels-csv", csv];
      expect(await start("ingest", ingest).outcome).toMatchObject({ code: 0 });

      const to = join(folder, "objects");
      const args = ["export", ...data, "--to", to, "--chunk-size", "25,20,20", "--parallel", "2", "--json", "--resume"];
      const random = new Random(3);
      let kills = 0;
      let last: Outcome;
      do {
        const { child, outcome } = start("graph-server", args);
        child.stderr!.once("data", () => void setTimeout(200 + random.below(700)).then(() => child.kill("SIGKILL")));
        last = await outcome;
        if (last.signal === "SIGKILL") kills++;
      } while (last.signal === "SIGKILL" && kills < 3);
      if (last.signal === "SIGKILL") last = await start("graph-server", args).outcome;
      expect(kills).toBeGreaterThan(0);
      expect(last).toMatchObject({ code: 0 });

      const rows = (await readFile(csv, "utf8")).trim().split("\n").slice(1);
      const rootOf = new Map(rows.map((row) => row.split(",").map(BigInt) as [bigint, bigint])).set(0n, 0n);
      const labels = await readAll(small!);
      const objects = await readAll(to);
      let wrong = 0;
      for (let i = 0; i < labels.length; i++) if (objects[i] !== rootOf.get(labels[i]!)) wrong++;
      expect([wrong, objects.length]).toEqual([0, 200 * 180 * 100]);
      expect(JSON.parse(await readFile(join(to, "export.json"), "utf8"))).toMatchObject({ status: "complete" });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
