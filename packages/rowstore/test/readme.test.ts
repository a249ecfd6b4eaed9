import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's example does what the README says", async () => {
  const example = await runReadmeExample(new URL("../", import.meta.url));
  expect(example).toMatchObject({
    first: { committed: true },
    again: { committed: false, failedGuard: 0 },
    before: "root 1",
    count: 2,
  });
});
