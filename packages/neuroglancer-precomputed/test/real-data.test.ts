import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { dataFolder } from "@pcg/testkit";
import { expect, test } from "vitest";
import { openPrecomputed } from "../src/index.ts";
import { digest, readAll } from "./support.ts";

type Facts = Record<string, { sha256: string }>;

for (const name of ["segmentation-small", "segmentation"]) {
  const folder = dataFolder(name);
  test.skipIf(!folder)(`every voxel of ${name} reads as its facts.json says`, async () => {
    const facts = JSON.parse(await readFile(join(folder!, "facts.json"), "utf8")) as Facts;
    const { scales } = await openPrecomputed(fileKvStore(folder!));
    expect(scales.map((scale) => scale.key).sort()).toEqual(Object.keys(facts).sort());
    for (const scale of scales) expect(digest(await readAll(scale))).toBe(facts[scale.key]!.sha256);
  });
}
