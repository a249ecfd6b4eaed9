import { runReadmeExample } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the README's example runs", async () => {
  const { health } = await runReadmeExample(new URL("../", import.meta.url));
  expect(health).toMatchObject({ status: "ok", tables: 0 });
});
