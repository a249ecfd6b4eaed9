import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";
import { ids } from "./graphs.ts";

test("the README's example runs and gives what it says", async () => {
  const { result } = await runReadmeExample(new URL("../", import.meta.url));
  expect(result).toMatchObject({
    kind: "cut",
    edges: ids(13, 21, 14, 21),
    parts: [ids(11, 12, 13, 14, 15), ids(21, 22, 23, 24)],
    flow: 65,
  });
});
