import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dataFolder } from "@pcg/testkit";
import { expect, test } from "vitest";
import { run, withFolder } from "./command.ts";
import { readTable } from "./table.ts";

const data = dataFolder("segmentation-small");
const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

test.skipIf(!data)("the command on the first lines of the README works", async () => {
  const command = /```sh\nnpx pcg-ingest (.*)\n```/.exec(readme)![1]!;
  await withFolder(async (folder) => {
    const args = command.split(" ").map((arg) => arg.replace("./segmentation", data!).replace("./data", folder));
    expect(await run(...args)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^supervoxels +352 /m) });
    await readTable(join(folder, "cortex"));
  });
});

test("the README names every option of the command", async () => {
  const { stdout } = await run("--help");
  const options = [...stdout.matchAll(/--[a-z-]+/g)].map(([option]) => option).filter((option) => option !== "--help");
  for (const option of options) expect(readme).toContain(option);
});
