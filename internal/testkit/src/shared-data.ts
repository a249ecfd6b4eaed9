import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The folder of real test data beside the repository, or `undefined` with a loud note when it is not there:
 * `const data = dataFolder("segmentation-small"); test.skipIf(!data)(…)`.
 */
export function dataFolder(name: string): string | undefined {
  const folder = fileURLToPath(new URL(`../../../../shared/data/${name}`, import.meta.url));
  if (existsSync(folder)) return folder;
  console.warn(`SKIPPED: the real data "${name}" is not beside the repository (looked for ../shared/data/${name})`);
  return undefined;
}
