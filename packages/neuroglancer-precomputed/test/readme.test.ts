import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the example of the README runs", async () => {
  const { label, absent } = await runReadmeExample(new URL("../", import.meta.url));
  expect(label).toBe(2n ** 60n);
  expect(absent).toBeUndefined();
});
