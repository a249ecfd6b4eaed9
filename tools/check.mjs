/** `npm run check`: everything static that CI asks: format, lint, layers, types of tests, dead code, package shape. */
import { packCheck } from "./pack-check.mjs";
import { bin, ensureBuilt, must, workspaceFolders } from "./workspace.mjs";

await ensureBuilt();
await must("Format or lint errors; `npm run format` mends most", bin("biome"), ["ci", "--reporter=summary", "."]);
await must("Type errors in tests", bin("tsc"), ["-p", "tsconfig.tests.json"]);
await must("Type errors in the page", bin("tsc"), ["-p", "apps/proofreader/page"]);
await must("Unused files, exports or dependencies", bin("knip"), ["--no-progress"]);
for (const folder of workspaceFolders("packages", "apps")) {
  await must(`publint: ${folder} is not ready to publish`, bin("publint"), ["--strict", folder], { quiet: true });
}
await packCheck();
console.error("All checks passed.");
