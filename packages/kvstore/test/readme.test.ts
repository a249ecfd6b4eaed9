import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's first example runs as printed", async () => {
  expect(await runReadmeExample(new URL("../", import.meta.url))).toMatchObject({
    conflict: { written: false },
    head: new TextEncoder().encode('{"type"'),
    unchanged: "unchanged",
  });
});
