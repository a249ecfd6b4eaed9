import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readValue } from "@pcg/kvstore";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openImage } from "../src/image.ts";

const info = (type: string) => ({
  type,
  data_type: "uint8",
  num_channels: 1,
  scales: [{ key: "1", size: [4, 4, 4], resolution: [8, 8, 40], chunk_sizes: [[4, 4, 4]], encoding: "raw" }],
});
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pcg-image-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("files that a writer compressed under a second name are read under the plain one", async () => {
  await writeFile(join(folder, "info.gz"), gzipSync(JSON.stringify(info("image"))));
  await writeFile(join(folder, "chunk.gz"), gzipSync("abcdefgh"));
  await writeFile(join(folder, "plain"), "as it is");
  const image = await openImage(folder);
  expect(JSON.parse(Buffer.from((await readValue(image, "info"))!).toString())).toMatchObject({ type: "image" });
  expect(Buffer.from((await readValue(image, "chunk"))!).toString()).toBe("abcdefgh");
  const part = await image.read("chunk", { range: { offset: 2, length: 3 } });
  expect(part).toMatchObject({ size: 8, value: new Uint8Array(Buffer.from("cde")) });
  expect(Buffer.from((await readValue(image, "plain"))!).toString()).toBe("as it is");
  expect(await image.read("absent")).toBeUndefined();
  await image.close();
});

test("a segmentation is no image", async () => {
  await writeFile(join(folder, "info"), JSON.stringify(info("segmentation")));
  await expect(openImage(folder)).rejects.toThrow("is a segmentation; give a precomputed volume of type image");
});
