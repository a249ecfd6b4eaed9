import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

const home = new URL("../", import.meta.url);

test("the README's first example runs as printed", async () => {
  expect(await runReadmeExample(home)).toMatchObject({
    now: new TextEncoder().encode("second"),
    earlier: new TextEncoder().encode("first"),
    generations: [1n, 2n],
  });
});

test("the README's example of forks runs as printed", async () => {
  const readme = await readFile(new URL("README.md", home), "utf8");
  const example = /## Forks\n[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  await mkdir(new URL(".vitest/", home), { recursive: true });
  const file = fileURLToPath(new URL(".vitest/readme-forks.ts", home));
  await writeFile(file, example);
  expect(await import(/* @vite-ignore */ file)).toMatchObject({
    spec: { driver: "ocdbt", value_data_prefix: "42_d/" },
    merged: true,
    conflicts: [],
    value: new Uint8Array([2]),
  });
});
