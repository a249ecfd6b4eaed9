/**
 * `npm test`: all package tests with Node alone; packages that did not change are answered from turbo's cache. Arguments go to
 * turbo: `npm test -- --filter=@pcg/tasks`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { printSummary, readVitestReport } from "./summary.mjs";
import { bin, ensureBuilt, root, run } from "./workspace.mjs";

await ensureBuilt();
const args = process.argv.slice(2);
// turbo starts each package's script through pnpm, which it looks up on the path.
const env = { PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` };
const reports = foldersToTest().map((folder) => ({ folder, file: join(root, folder, ".vitest/report.json") }));
// A report that is there afterwards is of this run, or of the cache that answers for it.
for (const { file } of reports) rmSync(file, { force: true });
const code = await run(bin("turbo"), ["run", "test", "--continue", "--concurrency=2", ...args], {
  env,
  stdout: process.stdout,
});
process.exitCode = printSummary(
  reports.map(({ folder, file }) =>
    existsSync(file) ? readVitestReport(folder, file) : { name: folder, passed: 0, failed: 1, skipped: 0 },
  ),
  code,
);

/** The packages that turbo would test with these arguments. */
function foldersToTest() {
  const plan = spawnSync(bin("turbo"), ["run", "test", "--dry=json", ...args], {
    cwd: root,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", ...env },
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (plan.status !== 0) {
    process.stderr.write(plan.stderr || String(plan.error));
    process.exit(plan.status ?? 1);
  }
  return JSON.parse(plan.stdout)
    .tasks.filter(({ task, command }) => task === "test" && command !== "<NONEXISTENT>")
    .map(({ directory }) => directory)
    .sort();
}
