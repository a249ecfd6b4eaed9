import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../dist/main.js", import.meta.url));

/** Starts the built command, as `npm start` does. */
export function spawnCommand(...args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

/** Runs the command to its end: what it printed, and what it said on stderr. */
export async function runToEnd(
  ...args: string[]
): Promise<{ readonly code: number | null; readonly output: string; readonly log: string }> {
  const child = spawnCommand(...args);
  let [output, log] = ["", ""];
  child.stdout!.on("data", (text) => {
    output += text;
  });
  child.stderr!.on("data", (text) => {
    log += text;
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output, log };
}

export interface Started {
  readonly url: string;
  readonly log: string;
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the command and waits until it serves. */
export async function start(...args: string[]): Promise<Started> {
  const child = spawnCommand(...args);
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  let log = "";
  child.stderr!.on("data", (text) => {
    log += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout!.on("data", (text) => {
      output += text;
      const ready = /^ready (\S+)$/m.exec(output);
      if (ready) resolve(ready[1]!);
    });
    void closed.then((code) => reject(new Error(`ended with ${code} before it was ready:\n${log}`)));
  });
  return {
    url,
    log,
    stop: (signal) => {
      child.kill(signal);
      return closed;
    },
  };
}
