import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the example of the README merges two objects and still knows them apart in the past", async () => {
  const { newRoots, pieces, was, is } = await runReadmeExample(new URL("../", import.meta.url));
  expect(newRoots).toHaveLength(1);
  expect(pieces).toHaveLength(3);
  expect([was, is]).toEqual([Uint8Array.of(1, 1), Uint8Array.of(0, 0)]);
});
