import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { defaultTissue, growTissue, type Tissue } from "../src/index.ts";

const small = { ...defaultTissue, size: [192, 160, 40], neurites: 120, splitErrors: 8, mergeErrors: 4 } as const;

function paintAll(tissue: Tissue): { labels: Uint32Array; image: Uint8Array } {
  const [sx, sy, sz] = tissue.options.size;
  const labels = new Uint32Array(sx * sy * sz);
  const image = new Uint8Array(sx * sy * sz);
  for (let z = 0; z < sz; z++) {
    const at = sx * sy * z;
    tissue.paint(z, { labels: labels.subarray(at, at + sx * sy), image: image.subarray(at, at + sx * sy) });
  }
  return { labels, image };
}

test("the same seed gives the same voxels, another seed gives others", () => {
  const hash = (seed: number) => {
    const { labels, image } = paintAll(growTissue({ ...small, seed }));
    return createHash("sha256").update(labels).update(image).digest("hex");
  };
  const first = hash(7);
  expect(hash(7)).toBe(first);
  expect(hash(8)).not.toBe(first);
});

test("neurites are densely packed and a capillary is the only background", () => {
  const { labels } = paintAll(growTissue(small));
  const background = labels.filter((label) => label === 0).length / labels.length;
  expect(background).toBeGreaterThan(0.001);
  expect(background).toBeLessThan(0.35);
  expect(new Set(labels).size).toBeGreaterThan(60);
});

test("labels are distinct, not zero and need more than 53 bits", () => {
  const { labels } = growTissue(small);
  expect(labels[0]).toBe(0n);
  expect(new Set(labels).size).toBe(labels.length);
  expect(labels.slice(1).every((label) => label > 2n ** 53n)).toBe(true);
});

test("each planted split names two labels that touch near its position", () => {
  const tissue = growTissue(small);
  const volume = paintAll(tissue);
  const splits = tissue.errors.filter((error) => error.kind === "split");
  expect(splits.length).toBeGreaterThan(3);
  for (const error of splits) {
    const around = labelsAround(tissue, volume.labels, error.position, 24);
    for (const label of error.labels) expect(around).toContain(BigInt(label));
  }
});

test("each planted split has a voxel of either label in one section near its position, to click on", () => {
  const tissue = growTissue(defaultTissue);
  const splits = tissue.errors.filter((error) => error.kind === "split");
  expect(splits).toHaveLength(defaultTissue.splitErrors);
  const [sx, sy] = defaultTissue.size;
  const section = { labels: new Uint32Array(sx * sy), image: new Uint8Array(sx * sy) };
  const shown = splits.filter(({ sides }) => sides !== undefined);
  expect(shown.length).toBeGreaterThan(20);
  for (const { position, sides, labels } of shown) {
    const places = sides!.map((side) => side.map((value, axis) => value - defaultTissue.voxelOffset[axis]!));
    expect(sides![0][2]).toBe(sides![1][2]);
    tissue.paint(places[0]![2]!, section);
    expect(places.map(([x, y]) => String(tissue.labels[section.labels[y! * sx + x!]!]))).toEqual(labels);
    for (const side of sides!) {
      expect(Math.hypot(side[0] - position[0], side[1] - position[1])).toBeLessThan(90);
      expect(Math.abs(side[2] - position[2])).toBeLessThanOrEqual(12);
    }
  }
}, 30_000);

test("each planted merge has its one label on both sides, and a membrane between them in the image", () => {
  const tissue = growTissue(small);
  const volume = paintAll(tissue);
  const merges = tissue.errors.filter((error) => error.kind === "merge");
  expect(merges.length).toBeGreaterThan(0);
  const [sx, sy] = tissue.options.size;
  for (const error of merges) {
    for (const side of error.sides) expect(labelsAround(tissue, volume.labels, side, 6)).toContain(BigInt(error.label));
    const [x, y, z] = error.position.map((value, axis) => value - tissue.options.voxelOffset[axis]!);
    const row = Array.from({ length: 17 }, (_, i) => volume.image[(z! * sy + y!) * sx + x! - 8 + i]!);
    expect(Math.min(...row)).toBeLessThan(100);
  }
});

function labelsAround(
  tissue: Tissue,
  labels: Uint32Array,
  position: readonly [number, number, number],
  reach: number,
): bigint[] {
  const { size, voxelOffset } = tissue.options;
  const [x, y, z] = position.map((value, axis) => value - voxelOffset[axis]!) as [number, number, number];
  const found = new Set<bigint>();
  for (let k = Math.max(0, z - 1); k <= Math.min(size[2] - 1, z + 1); k++) {
    for (let j = Math.max(0, y - reach); j <= Math.min(size[1] - 1, y + reach); j++) {
      for (let i = Math.max(0, x - reach); i <= Math.min(size[0] - 1, x + reach); i++) {
        found.add(tissue.labels[labels[(k * size[1] + j) * size[0] + i]!]!);
      }
    }
  }
  return [...found];
}
