import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "@pcg/testkit";
import { expect, test } from "vitest";
import { connectedComponents } from "../src/components.ts";
import {
  decodeCompressedSegmentation,
  decodeCompressedSegmentationIndexed,
  encodeCompressedSegmentation,
  remapCompressedSegmentation,
} from "../src/compressed-segmentation.ts";
import type { Size } from "../src/volume.ts";

const data = dataFolder("segmentation");
const chunk: Size = [64, 64, 64];
const block: Size = [8, 8, 8];

test.skipIf(!data)("real chunks: counts agree with the ground truth, and encoding again gives the peer's bytes", () => {
  const folder = join(data!, "32_32_40");
  const scale = JSON.parse(readFileSync(join(data!, "facts.json"), "utf8"))["32_32_40"];
  let six = 0;
  let all = 0;
  const seen = new Set<bigint>();
  for (const name of readdirSync(folder)) {
    const bytes = new Uint8Array(readFileSync(join(folder, name)));
    const labels = decodeCompressedSegmentation(bytes, chunk, 1, block, "uint64");
    six += connectedComponents(labels, chunk, 6).count;
    all += connectedComponents(labels, chunk, 26).count;
    for (const label of decodeCompressedSegmentationIndexed(bytes, chunk, block).table) seen.add(label);
    expect(Buffer.compare(encodeCompressedSegmentation(labels, chunk, 1, block), bytes)).toBe(0);
    const shifted = remapCompressedSegmentation(bytes, chunk, 1, block, (found) => found.map((label) => label << 30n));
    const moved = decodeCompressedSegmentation(shifted, chunk, 1, block, "uint64");
    expect(moved.every((label, i) => label === labels[i]! << 30n)).toBe(true);
  }
  expect(seen.size - 1).toBe(scale.labels);
  expect(six).toBe(scale.chunked[0].connectivity_6.supervoxels);
  expect(all).toBe(scale.chunked[0].connectivity_26.supervoxels);
});
