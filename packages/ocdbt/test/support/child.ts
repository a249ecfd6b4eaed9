import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const packageFolder = fileURLToPath(new URL("../../", import.meta.url));

/** Makes one JavaScript module of a TypeScript one of this package and what it imports. @returns its path */
export async function buildChild(entry: string): Promise<string> {
  const outDir = `${packageFolder}.vitest/${entry.replaceAll("/", "-")}`;
  await build({
    configFile: false,
    root: packageFolder,
    logLevel: "error",
    resolve: { conditions: ["@pcg/source", "module", "node"] },
    ssr: { noExternal: [/^@pcg\//, /^@noble\//], resolve: { conditions: ["@pcg/source", "module", "node"] } },
    build: {
      ssr: entry,
      outDir,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { output: { entryFileNames: "child.mjs" } },
    },
  });
  return `${outDir}/child.mjs`;
}

/** Runs a module until it has printed so many lines and a moment more, kills it, and gives what it had printed. */
export async function runAndKill(
  module: string,
  args: readonly string[],
  lines: number,
  moreMs: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [module, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const printed: string[] = [];
  const reader = createInterface(child.stdout);
  const enough = new Promise<void>((resolve, reject) => {
    reader.on("line", (line) => {
      printed.push(line);
      if (printed.length === lines) resolve();
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code !== null) reject(new Error(`the child ended by itself, with ${code}`));
    });
  });
  await enough;
  await new Promise((resolve) => setTimeout(resolve, moreMs));
  child.kill("SIGKILL");
  await closed;
  return printed;
}
