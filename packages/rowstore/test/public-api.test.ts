import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the package exports what its README says", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "RowStoreError",
        "decodeCounter",
        "encodeCounter",
        "isRowStoreError",
        "memoryRowStore",
        "openRowStore",
        "prefixRange",
        "readRow",
        "readRows",
      ],
      "./conformance": [
        "testRowStore",
      ],
      "./lmdb": [
        "openLmdbRowStore",
      ],
    }
  `);
});
