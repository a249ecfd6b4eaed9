/** Starting processes that run the file driver from source. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const packageFolder = fileURLToPath(new URL("../", import.meta.url));

/** Makes one JavaScript module of `test/file-child.ts` and what it imports. @returns its path. */
export async function buildChild(): Promise<string> {
  const outDir = `${packageFolder}.vitest/child`;
  await build({
    configFile: false,
    root: packageFolder,
    logLevel: "error",
    build: {
      ssr: "test/file-child.ts",
      outDir,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { output: { entryFileNames: "child.mjs" } },
    },
  });
  return `${outDir}/child.mjs`;
}

export interface Child {
  readonly process: ChildProcess;
  readonly lines: Interface;
  /** Resolves with the next line it prints. */
  nextLine(): Promise<string>;
  /** Resolves when it has ended; rejects unless by itself and well. */
  done(): Promise<void>;
  kill(): Promise<void>;
}

/** @param maxOpenFiles how many files it may have open at once; as many as this process unless told. */
export function startChild(module: string, args: readonly string[], maxOpenFiles?: number): Child {
  const command = [process.execPath, module, ...args];
  const limited = ["sh", "-c", `ulimit -n ${maxOpenFiles} && exec "$@"`, "sh", ...command];
  const [program, ...rest] = (maxOpenFiles === undefined ? command : limited) as [string, ...string[]];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  // Not "exit": what it printed last may still be on its way then.
  const exited = once(child, "close");
  const lines = createInterface(child.stdout);
  return {
    process: child,
    lines,
    nextLine: async () => ((await once(lines, "line")) as [string])[0],
    done: async () => {
      const [code, signal] = await exited;
      if (code !== 0) throw new Error(`child ended with ${code ?? signal}`);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
