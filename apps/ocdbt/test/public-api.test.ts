import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the public names are these", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toEqual({ ".": ["cli"] });
});
