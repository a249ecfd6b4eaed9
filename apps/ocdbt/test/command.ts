import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli } from "../src/index.ts";

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs the command in this process, which is quicker than a process of its own. */
export async function run(...args: string[]): Promise<Outcome> {
  return await runWith("", ...args);
}

/** As {@link run}, with something on stdin. */
export async function runWith(input: string | Uint8Array, ...args: string[]): Promise<Outcome> {
  const pieces: Uint8Array[] = [];
  let stderr = "";
  const code = await cli(args, {
    out: async (data) => {
      pieces.push(Buffer.from(data as Uint8Array));
    },
    err: (message) => {
      stderr += message;
    },
    input: async function* () {
      yield Buffer.from(input as Uint8Array);
    },
    stop: new AbortController().signal,
  });
  return { code, stdout: Buffer.concat(pieces), stderr };
}

/**
 * Starts the built command as a user does. `output` grows while it runs.
 * @param input what stdin brings before it ends; `null`: nothing, and no end.
 */
export function start(
  args: readonly string[],
  input?: string | Uint8Array | null,
  { takeOutput = true } = {},
): {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
  readonly output: () => string;
  readonly errors: () => string;
} {
  if (!existsSync(program)) throw new Error(`${program} is missing: these tests run the built program, so build first`);
  const child = spawn(process.execPath, [program, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  const pieces: Buffer[] = [];
  let stderr = "";
  const outcome = new Promise<Outcome>((resolve, reject) => {
    if (takeOutput) child.stdout.on("data", (data) => pieces.push(data));
    child.stderr.on("data", (data) => (stderr += data));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: Buffer.concat(pieces), stderr }));
  });
  child.stdin.on("error", () => {});
  if (input !== null) child.stdin.end(input);
  return { child, outcome, output: () => Buffer.concat(pieces).toString(), errors: () => stderr };
}

/** Runs what must end well. @returns what it printed */
export async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...args);
  if (code !== 0) throw new Error(`pcg-ocdbt ${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout.toString();
}

/** The objects a command printed, one a line. */
export async function lines(...args: string[]): Promise<Record<string, unknown>[]> {
  const printed = await text(...args);
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Until `look` answers; a test's own time limit ends it. */
export async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

/** A folder that is gone after `use`. */
export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pcg-ocdbt-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString("base64");
/** A line of `apply`. */
export const put = (key: string | Uint8Array, value: string): string =>
  JSON.stringify({ op: "put", keyBase64: base64(key), valueBase64: base64(value) });

/** Makes all these mutations one version. */
export async function apply(url: string, ...mutations: string[]): Promise<void> {
  const { code, stderr } = await runWith(mutations.join("\n"), "apply", url, "-");
  if (code !== 0) throw new Error(stderr);
}
