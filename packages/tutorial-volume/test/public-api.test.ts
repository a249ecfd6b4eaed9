import { publicApi, runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

const folder = new URL("../", import.meta.url);

test("the public names are these", async () => {
  expect(await publicApi(folder)).toEqual({ ".": ["defaultTissue", "growTissue", "writeTissue"] });
});

test("the README's first example runs", async () => {
  const { label, grey, mistakes } = await runReadmeExample(folder);
  expect(label).toBeTypeOf("bigint");
  expect(grey).toBeGreaterThan(0);
  expect(mistakes).toContainEqual(expect.stringMatching(/^(split|merge) at \d+, \d+, \d+$/));
});
