import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("exports exactly this", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "KvStoreError",
        "badSpec",
        "checkByteRange",
        "checkSpecMembers",
        "compareKeys",
        "faultAt",
        "formatUrl",
        "hasPrefix",
        "inRange",
        "intersectRanges",
        "isEmptyRange",
        "isKvStoreError",
        "joinKeys",
        "keyBytes",
        "keyText",
        "kvStack",
        "kvStackDriver",
        "listRange",
        "memoryDriver",
        "memoryKvStore",
        "openKvStore",
        "openKvStoreSpec",
        "overlay",
        "parseUrl",
        "prefixRange",
        "prefixSuccessor",
        "printKey",
        "readValue",
        "resolveByteRange",
        "storeSpec",
        "withCache",
        "withCoalescedReads",
        "withCounters",
        "withFaults",
        "withPrefix",
        "withRetry",
      ],
      "./conformance": [
        "testKvStore",
      ],
      "./file": [
        "fileDriver",
        "fileKvStore",
        "sweepLocks",
      ],
      "./http": [
        "httpDriver",
        "httpKvStore",
      ],
    }
  `);
});
