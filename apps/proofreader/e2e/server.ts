import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface RunningServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the built proofreader on a free port and waits until it says it is ready. */
export async function startProofreader(...args: string[]): Promise<RunningServer> {
  const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
  const child = spawn(process.execPath, [main, "--port", "0", "--no-browser", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    let log = "";
    child.stdout.on("data", (data) => {
      output += data;
      const ready = /^ready (http\S+)$/m.exec(output);
      if (ready) resolve(ready[1]!);
    });
    child.stderr.on("data", (data) => {
      log += data;
    });
    child.on("close", (code) => reject(new Error(`the proofreader ended with ${code} before it was ready:\n${log}`)));
  });
  return { url, stop: () => stop(child) };
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on("close", () => resolve());
    child.kill("SIGTERM");
  });
}
