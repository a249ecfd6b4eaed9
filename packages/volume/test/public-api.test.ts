import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the package exports what it promises", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchSnapshot();
});
