/** `npm test`: all package tests with Node alone; packages that did not change are answered from turbo's cache. */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { printSummary, readVitestReport } from "./summary.mjs";
import { bin, ensureBuilt, root, run, workspaceFolders } from "./workspace.mjs";

await ensureBuilt();
// turbo starts each package's script through pnpm, which it looks up on the path.
const env = { PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}` };
const code = await run(bin("turbo"), ["run", "test", "--continue", "--concurrency=2", ...process.argv.slice(2)], {
  env,
  stdout: process.stdout,
});
const reports = workspaceFolders("packages", "apps", "internal")
  .filter((folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")).scripts?.test)
  .map((folder) => {
    const file = join(root, folder, ".vitest/report.json");
    return existsSync(file) ? readVitestReport(folder, file) : { name: folder, passed: 0, failed: 1, skipped: 0 };
  });
process.exitCode = printSummary(reports, code);
