import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's example runs and gives what it says", async () => {
  const { count, areas, stillTwoObjects } = await runReadmeExample(new URL("../", import.meta.url));
  expect(count).toBe(3);
  expect(areas).toEqual(Uint32Array.of(4, 4));
  expect(stillTwoObjects).toBe(true);
});
