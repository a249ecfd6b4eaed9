import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { buildKernel, kernels } from "../scripts/build-wasm.mjs";

test.each(kernels)("the committed binary of %s is what its source compiles to", async (kernel) => {
  const committed = await readFile(new URL(`../src/wasm/${kernel}.wasm.ts`, import.meta.url), "utf8");
  expect(await buildKernel(kernel)).toBe(committed);
});
