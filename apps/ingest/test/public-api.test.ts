import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the public names are these", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toEqual({
    ".": [
      "UsageError",
      "addIngestOptions",
      "checkNewIngest",
      "describeFailure",
      "ingestOptions",
      "reportProgress",
      "runIngest",
      "stopSignal",
      "tableFolder",
    ],
    "./option-values": ["parseBytes", "parseCount", "parseXyz"],
  });
});
