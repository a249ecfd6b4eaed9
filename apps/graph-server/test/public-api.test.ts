import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the exports are those we promise", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "ConfigError",
        "DEFAULT_LIMITS",
        "HttpError",
        "LOOPBACK_HOSTS",
        "createServer",
        "openTable",
        "openTables",
        "readConfig",
        "serve",
        "serverOptions",
      ],
    }
  `);
});
