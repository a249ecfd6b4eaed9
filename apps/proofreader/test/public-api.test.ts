import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

const folder = new URL("../", import.meta.url);

test("the public names are these", async () => {
  expect(await publicApi(folder)).toEqual({ ".": ["ensureTutorialVolume", "startProofreader"] });
});

test("the README's example runs", async () => {
  // With Node alone, from the build: threads of the ingest are JavaScript files.
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(new URL("README.md", folder), "utf8"))![1]!;
  await mkdir(new URL(".vitest/", folder), { recursive: true });
  const file = new URL(".vitest/readme-example.mjs", folder);
  await writeFile(file, `${example}\nconsole.log(JSON.stringify(health));\n`);
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(file)]);
  expect(JSON.parse(stdout)).toMatchObject({ status: "ok", tables: 1 });
});
