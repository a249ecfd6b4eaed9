import { fileURLToPath } from "node:url";
import { build } from "vite";
import { expect, test } from "vitest";

test("a bundle for browsers holds fflate and nothing of Node", async () => {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["@pcg/source", "module", "browser"] },
    build: {
      write: false,
      minify: false,
      lib: { entry: fileURLToPath(new URL("../src/index.ts", import.meta.url)), formats: ["es"] },
    },
  });
  const chunks = [result].flat().flatMap((part) => ("output" in part ? part.output : []));
  const code = chunks.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("\n");
  expect(code).toContain("inflateGzip");
  expect(code).not.toContain("node:");
  expect(
    chunks.flatMap((chunk) => (chunk.type === "chunk" ? chunk.imports : [])).filter((id) => id.startsWith("node")),
  ).toEqual([]);
});
