import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("exports exactly this", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "ByteBudget",
        "TaskError",
        "inlineRunner",
        "isTaskError",
        "mapConcurrent",
        "throttleProgress",
        "withTransfer",
      ],
      "./pool": [
        "poolRunner",
      ],
    }
  `);
});
