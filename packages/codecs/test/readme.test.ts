import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's example runs and gives what it says", async () => {
  expect({ ...(await runReadmeExample(new URL("../", import.meta.url))) }).toEqual({
    checksum: 0xe3069283,
    text: "123456789",
    chunkId: 85n,
    hash: 0xc20b94f95119f47an,
    length: 300n,
  });
});
