import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the example of the README runs", async () => {
  const { labels, url } = await runReadmeExample(new URL("../", import.meta.url));
  expect(labels).toEqual(BigUint64Array.of(7n, 7n, 7n, 7n, 0n, 0n, 0n, 0n));
  expect(url).toBe("memory://demo/seg/|zarr3:");
});
