import { defineConfig } from "vitest/config";

// The page in a real browser: run by the interop lane, after the build. `PCG_CHROMIUM` names the browser.
export default defineConfig({
  test: {
    dir: "e2e",
    include: ["e2e/**/*.e2e.ts"],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    fileParallelism: false,
    reporters: ["default", "json"],
    outputFile: { json: "e2e/.results/report.json" },
  },
});
