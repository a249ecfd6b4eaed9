import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("exports exactly this", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchSnapshot();
});
