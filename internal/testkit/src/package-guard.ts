import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

interface Manifest {
  name: string;
  exports: Record<string, { "@pcg/source": string }>;
}

/** The exported names of every entry point of the package at `packageUrl` (its folder, with a final slash). */
export async function publicApi(packageUrl: URL): Promise<Record<string, string[]>> {
  const manifest = JSON.parse(await readFile(new URL("package.json", packageUrl), "utf8")) as Manifest;
  const api: Record<string, string[]> = {};
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    const module: object = await import(/* @vite-ignore */ fileURLToPath(new URL(target["@pcg/source"], packageUrl)));
    api[subpath] = Object.keys(module).sort();
  }
  return api;
}

/** Runs the first `ts` block of the package's README as a module, and returns what it exports. */
export async function runReadmeExample(packageUrl: URL): Promise<Record<string, unknown>> {
  const readme = await readFile(new URL("README.md", packageUrl), "utf8");
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (example === undefined) throw new Error(`README.md of ${packageUrl.pathname} has no \`\`\`ts block`);
  const folder = new URL(".vitest/", packageUrl);
  await mkdir(folder, { recursive: true });
  const file = fileURLToPath(new URL("readme-example.ts", folder));
  await writeFile(file, example);
  return (await import(/* @vite-ignore */ file)) as Record<string, unknown>;
}
