import { defineConfig } from "vitest/config";

// Every package runs its tests from source (condition "@pcg/source"), so that no build is needed first.
const conditions = ["@pcg/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
    reporters: ["default", "json"],
    outputFile: { json: ".vitest/report.json" },
  },
});
