import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's first example runs as printed", async () => {
  expect(await runReadmeExample(new URL("../", import.meta.url))).toMatchObject({
    now: new TextEncoder().encode("second"),
    earlier: new TextEncoder().encode("first"),
    generations: [1n, 2n],
  });
});
