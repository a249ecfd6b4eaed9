import { defineConfig } from "vitest/config";

// The page in a real browser: run by the interop lane, after the build. `PCG_CHROMIUM` names the browser.
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ["*.e2e.ts"],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    fileParallelism: false,
    reporters: ["default", "json"],
    outputFile: { json: ".results/report.json" },
  },
});
