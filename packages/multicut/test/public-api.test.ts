import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the public surface changes only on purpose", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchSnapshot();
});
