import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts a built program as a user does. @param app whose program it is */
export function start(
  app: "graph-server" | "ingest",
  args: readonly string[],
): { readonly child: ChildProcess; readonly outcome: Promise<Outcome> } {
  const program = fileURLToPath(new URL(`../../../${app}/dist/main.js`, import.meta.url));
  if (!existsSync(program)) throw new Error(`${program} is missing: these tests run the built program, so build first`);
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    let [stdout, stderr] = ["", ""];
    child.stdout!.on("data", (data) => {
      stdout += data;
    });
    child.stderr!.on("data", (data) => {
      stderr += data;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, outcome };
}
