import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { memoryRowStore } from "@pcg/rowstore";
import { dataFolder, Random } from "@pcg/testkit";
import type { Xyz } from "@pcg/volume";
import { openVolume } from "@pcg/volume";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import type { Graph } from "../src/contract.ts";
import { isGraphError } from "../src/errors.ts";
import { openGraph } from "../src/graph.ts";
import { Place, volumeOf, wholeBox } from "./ingest/harness.ts";
import { Oracle, partition } from "./support/oracle.ts";

/** Labels of a few seeds each: cells that touch, some labels in several pieces, some background. */
function cells(random: Random, size: Xyz): BigUint64Array {
  const seeds = Array.from({ length: random.between(2, 30) }, () => ({
    at: size.map((s) => random.below(s)),
    label: BigInt(random.below(12)),
  }));
  const data = new BigUint64Array(size[0] * size[1] * size[2]);
  for (let i = 0; i < data.length; i++) {
    const voxel = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / size[0] / size[1])];
    let least = Number.POSITIVE_INFINITY;
    for (const { at, label } of seeds) {
      const distance = at.reduce((sum, c, axis) => sum + (c - voxel[axis]!) ** 2, 0);
      if (distance >= least) continue;
      least = distance;
      data[i] = label;
    }
  }
  return data;
}

/** Merges objects at random voxels, as people click, and compares every time with the oracle. */
async function proofread(place: Place, random: Random, merges: number): Promise<void> {
  const volume = await place.openSupervoxels();
  const voxels = volume.scales[0]!;
  const { rows } = place;
  const graph = await openGraph({ rows, voxels });
  expect((await checkGraph(rows, { voxels })).violations).toEqual([]);
  const all = [...new Set((await voxels.read(wholeBox(volume))) as BigUint64Array)].filter((id) => id !== 0n);
  const ids = BigUint64Array.from(all).sort();
  const first = await (await graph.view()).roots(ids);
  const joined = Array.from(ids, (id, i) => [id, ids[first.indexOf(first[i]!)]!] as const);
  const oracle = new Oracle(graph.settings.ingestTime, [...ids], joined);
  for (let i = 0; i < merges; i++) await mergeSomewhere(graph, random, oracle);
  expect((await checkGraph(rows, { voxels })).violations).toEqual([]);
  for (const time of oracle.times) {
    expect((await checkGraph(rows, { time })).violations).toEqual([]);
    const roots = await (await graph.view(time)).roots(ids);
    expect(partition(Array.from(ids, (id, i) => [id, roots[i]!]))).toEqual(oracle.objectsAt(time));
  }
}

async function mergeSomewhere(graph: Graph, random: Random, oracle: Oracle): Promise<void> {
  const { size, voxelOffset } = graph.settings;
  const anywhere = (): Xyz => size.map((s, axis) => voxelOffset[axis]! + random.below(s)) as unknown as Xyz;
  const points = [anywhere(), anywhere()] as const;
  const supervoxels = await graph.supervoxelsAt(points);
  const view = await graph.view();
  const stopLayer = random.between(1, graph.settings.layers);
  const objects = await view.roots(supervoxels, { stopLayer });
  const [a, b] = points.map((position, i) => ({ id: objects[i]!, position }));
  try {
    const { time } = await graph.merge({ user: "ann", picks: [a!, b!], maxChunkDistance: 1000 });
    expect(oracle.together(supervoxels[0]!, supervoxels[1]!)).toBe(false);
    oracle.merge(supervoxels[0]!, supervoxels[1]!, time);
  } catch (error) {
    if (!isGraphError(error, "same-object", "same-supervoxel", "unknown-id")) throw error;
    if (error.code === "unknown-id") expect(supervoxels.includes(0n)).toBe(true);
    else expect(oracle.together(supervoxels[0]!, supervoxels[1]!)).toBe(true);
  }
}

test("random volumes, ingested and merged by clicking, are what a union-find says at every time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = new Random(seed);
      const size: Xyz = [random.between(1, 24), random.between(1, 24), random.between(1, 12)];
      const voxelOffset: Xyz = [random.between(-9, 9), random.between(-9, 9), random.between(-9, 9)];
      const chunkSize: Xyz = [random.between(2, 16), random.between(2, 16), random.between(2, 8)];
      const place = new Place(memoryRowStore());
      const source = await volumeOf(cells(random, size), "uint64", size, { voxelOffset });
      const connectivity = random.pick([6, 26] as const);
      await place.ingest(source, { chunkSize, connectivity, splitDisconnected: random.below(2) === 1 });
      await proofread(place, random, 8);
    }),
    { numRuns: 150 },
  );
}, 500_000);

const real = dataFolder("segmentation-small");
test.skipIf(!real)(
  "a real segmentation, merged by clicking, stays sound",
  async () => {
    const place = new Place(memoryRowStore());
    const source = await openVolume(real!, { open: (url) => openKvStore(url, fileDriver()) });
    await place.ingest(source, { chunkSize: [64, 64, 64] });
    await proofread(place, new Random(3), 12);
  },
  120_000,
);
