import { Random } from "@pcg/testkit";
import type { DataType, VoxelArray, Xyz } from "@pcg/volume";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { IngestChoices, IngestReport } from "../../src/ingest.ts";
import { checkIngest } from "./check-ingest.ts";
import { Place, volumeOf } from "./harness.ts";

type Options = Partial<IngestChoices> & { readonly voxelOffset?: Xyz };

async function ingestArray(
  data: VoxelArray,
  dataType: DataType,
  size: Xyz,
  options: Options = {},
): Promise<IngestReport> {
  const { voxelOffset, ...choices } = options;
  const source = await volumeOf(data, dataType, size, voxelOffset === undefined ? {} : { voxelOffset });
  const place = new Place();
  const report = await place.ingest(source, choices);
  await checkIngest(place, data, report);
  expect(await keys(place)).toEqual([]);
  return report;
}

async function keys(place: Place): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of place.scratch.list()) found.push(Buffer.from(key).toString());
  return found;
}

/** Blobs of a few labels: every voxel takes the label of its nearest seed, some stay background. */
function blobs(random: Random, size: Xyz, seeds: number, labels: readonly bigint[]): BigUint64Array {
  const points = Array.from({ length: seeds }, () => ({
    at: size.map((length) => random.below(length)),
    label: random.below(5) === 0 ? 0n : random.pick(labels),
  }));
  const data = new BigUint64Array(size[0] * size[1] * size[2]);
  for (let i = 0; i < data.length; i++) {
    const voxel = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))];
    let best = Number.POSITIVE_INFINITY;
    for (const { at, label } of points) {
      const distance = at.reduce((sum, p, axis) => sum + (p - voxel[axis]!) ** 2, 0);
      if (distance >= best) continue;
      best = distance;
      data[i] = label;
    }
  }
  return data;
}

async function ingestBlobs(
  seed: number,
  size: Xyz,
  chunkSize: Xyz,
  voxelOffset: Xyz,
  connectivity: 6 | 26,
  splitDisconnected: boolean,
): Promise<void> {
  const random = new Random(seed);
  const labels = Array.from({ length: random.between(1, 6) }, () => random.uint64());
  const data = blobs(random, size, random.between(1, 40), labels);
  await ingestArray(data, "uint64", size, { chunkSize, voxelOffset, connectivity, splitDisconnected });
}

const side = fc.integer({ min: 1, max: 14 });
const chunkSide = fc.integer({ min: 1, max: 9 });

test("random volumes with any size, offset, chunk and connectivity agree with the plain reading of the model", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.tuple(side, side, side),
      fc.tuple(chunkSide, chunkSide, chunkSide),
      fc.tuple(fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 }), fc.integer({ min: -40, max: 40 })),
      fc.constantFrom<6 | 26>(6, 26),
      fc.boolean(),
      ingestBlobs,
    ),
    { numRuns: 25 },
  );
});

test("parents are numbered by their smallest supervoxel also where it lies below a node that skipped layers", async () => {
  await ingestBlobs(0, [2, 10, 1], [1, 1, 1], [0, 0, 0], 6, false);
});

for (const dataType of ["uint8", "uint16", "uint32", "int32", "uint64", "int64"] as const) {
  test(`labels of type ${dataType} are ingested`, async () => {
    const make = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, int32: Int32Array };
    const values = Array.from({ length: 9 * 8 * 7 }, (_, i) => ((i >> 3) % 5 === 0 ? 0 : ((i * 7) >> 4) % 120));
    const data =
      dataType === "uint64"
        ? BigUint64Array.from(values, BigInt)
        : dataType === "int64"
          ? BigInt64Array.from(values, BigInt)
          : make[dataType].from(values);
    await ingestArray(data, dataType, [9, 8, 7], { chunkSize: [4, 4, 4] });
  });
}

test("labels beyond 2^53 stay apart, also when they are equal as numbers", async () => {
  const data = new BigUint64Array(6 * 6 * 6).map((_, i) => 2n ** 60n + BigInt((i >> 1) % 4));
  const report = await ingestArray(data, "uint64", [6, 6, 6], { chunkSize: [4, 4, 4] });
  expect(report.labels).toBe(4);
});

test("the largest label of 64 bits is a label", async () => {
  const data = new BigUint64Array(5 * 4 * 3).fill(2n ** 64n - 1n, 7, 40);
  const report = await ingestArray(data, "uint64", [5, 4, 3], { chunkSize: [2, 2, 2] });
  expect(report.roots).toBe(1);
});

test("a volume without any label gives a graph without nodes and all its files", async () => {
  const report = await ingestArray(new Uint32Array(20 * 17 * 5), "uint32", [20, 17, 5], { chunkSize: [8, 8, 4] });
  expect(report).toMatchObject({ labels: 0, supervoxels: 0, roots: 0 });
});

test("one label everywhere is one object with one supervoxel per chunk", async () => {
  const report = await ingestArray(new Uint8Array(20 * 17 * 9).fill(3), "uint8", [20, 17, 9], { chunkSize: [4, 4, 4] });
  expect(report).toMatchObject({ labels: 1, supervoxels: report.chunks, roots: 1, edges: { joined: 0 } });
});

test("a single voxel is a graph", async () => {
  const report = await ingestArray(Uint16Array.of(7), "uint16", [1, 1, 1], { voxelOffset: [-5, 3, -1] });
  expect(report).toMatchObject({ supervoxels: 1, roots: 1, layers: 2, chunks: 1 });
});

test("a chunk may be larger than the volume", async () => {
  const data = blobs(new Random(5), [9, 7, 5], 20, [1n, 2n, 3n]);
  const report = await ingestArray(data, "uint64", [9, 7, 5], { chunkSize: [64, 64, 64] });
  expect(report).toMatchObject({ chunks: 1, layers: 2 });
});

test("voxels that touch at a corner are one supervoxel with 26 neighbours and two with 6, in one object either way", async () => {
  const data = new Uint8Array(4 * 4 * 4);
  data[0] = 1;
  data[1 + 4 + 16] = 1;
  const corner = { chunkSize: [4, 4, 4] as const };
  expect(await ingestArray(data, "uint8", [4, 4, 4], { ...corner, connectivity: 26 })).toMatchObject({
    supervoxels: 1,
    roots: 1,
  });
  expect(await ingestArray(data, "uint8", [4, 4, 4], { ...corner, connectivity: 6 })).toMatchObject({
    supervoxels: 2,
    roots: 1,
    edges: { joined: 1 },
  });
});

test("pieces of a label in far corners are one object, or two when pieces are to be split", async () => {
  const data = new Uint32Array(30 * 26 * 22);
  data[0] = 9;
  data[data.length - 1] = 9;
  const far = { chunkSize: [5, 5, 5] as const };
  expect(await ingestArray(data, "uint32", [30, 26, 22], far)).toMatchObject({ labels: 1, roots: 1, brokenLabels: 1 });
  expect(await ingestArray(data, "uint32", [30, 26, 22], { ...far, splitDisconnected: true })).toMatchObject({
    labels: 1,
    roots: 2,
    brokenLabels: 1,
  });
});

test("a label of dust over many chunks is joined to its nearest pieces", async () => {
  const random = new Random(11);
  const data = new Uint32Array(30 * 30 * 30).map(() => (random.below(9) === 0 ? random.between(1, 3) : 0));
  await ingestArray(data, "uint32", [30, 30, 30], { chunkSize: [7, 8, 9], connectivity: 6 });
});
