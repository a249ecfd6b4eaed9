import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";
import type { Relabelling, Routing, VoxelSplit } from "../src/voxel/index.ts";
import { ids } from "./graphs.ts";

const folder = new URL("../", import.meta.url);

test("the README's example runs and gives what it says", async () => {
  const { result } = await runReadmeExample(folder);
  expect(result).toMatchObject({
    kind: "cut",
    edges: ids(13, 21, 14, 21),
    parts: [ids(11, 12, 13, 14, 15), ids(21, 22, 23, 24)],
    flow: 65,
  });
});

test("the README's voxel example runs: the bar parts at its neck, and its edge goes to the fragment beside 6", async () => {
  const readme = await readFile(new URL("README.md", folder), "utf8");
  const example = /## Splitting a supervoxel\n[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const file = new URL(".vitest/readme-voxel-example.ts", folder);
  await mkdir(new URL(".", file), { recursive: true });
  await writeFile(file, example);
  const { split, relabelled, routing, next } = (await import(/* @vite-ignore */ fileURLToPath(file))) as {
    split: VoxelSplit;
    relabelled: Relabelling;
    routing: Routing;
    next: unknown;
  };
  expect(split.rest).toBe(3);
  expect(split.leftovers).toEqual([]);
  const middle = split.sides.subarray(21 * 4, 21 * 5).join("");
  expect(middle).toMatch(/^1{10}[12]2{9}0$/);
  expect(split.voxels.reduce((sum, voxels) => sum + voxels)).toBe(20 * 9 - 8);
  expect(relabelled.changed.map(({ chunk }) => chunk)).toEqual([[1, 3, 0]]);
  expect(relabelled.fragments.map(({ id, old, side }) => [id, old, side])).toEqual([
    [1000n, 5n, 1],
    [1001n, 5n, 2],
  ]);
  expect(routing).toEqual({
    kind: "routed",
    edges: ids(6, 1001, 1000, 1001),
    affinities: Float64Array.of(0.9, 0.001),
    areas: ids(9, 0),
    replaced: Uint32Array.of(0),
  });
  expect(next).toEqual({
    edges: ids(6, 7, 6, 1001, 1000, 1001),
    affinities: Float64Array.of(0.8, 0.9, 0.001),
    groups: [ids(1000), ids(1001, 1001)],
  });
});
