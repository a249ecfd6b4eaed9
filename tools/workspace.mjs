/** What every command of this repository shares: running programs, installing dependencies once, building what changed. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** Runs a program; its output goes to stderr unless `stdout` says otherwise. Resolves with the exit code. */
export function run(command, args, { cwd = root, env = {}, stdout = process.stderr, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", ...env },
      stdio: ["ignore", quiet ? "pipe" : stdout, quiet ? "pipe" : process.stderr],
    });
    const output = [];
    child.stdout?.on("data", (data) => output.push(data));
    child.stderr?.on("data", (data) => output.push(data));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (quiet && code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

/** Like `run`, but a failure ends this process with the same exit code after one explaining line. */
export async function must(explanation, command, args, options) {
  const code = await run(command, args, options);
  if (code === 0) return;
  console.error(`\n${explanation} (${command} ${args.join(" ")} ended with ${code})`);
  process.exit(code);
}

/** A tool installed in this repository, e.g. `tsc`. */
export const bin = (name) => join(root, "node_modules", ".bin", name);

/** Folders of the workspace's own packages, relative to the root. */
export function workspaceFolders(...groups) {
  return groups.flatMap((group) =>
    readdirSync(join(root, group))
      .filter((name) => existsSync(join(root, group, name, "package.json")))
      .sort()
      .map((name) => `${group}/${name}`),
  );
}

/** Installs the locked dependencies unless exactly these are installed already. */
export async function ensureInstalled() {
  requireNode();
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"].concat(
    workspaceFolders("packages", "apps", "internal").map((folder) => `${folder}/package.json`),
  );
  const stamp = join(root, "node_modules", ".installed");
  const wanted = `${process.version} ${digest(files)}`;
  if (read(stamp) === wanted) return;
  console.error("Installing dependencies …");
  const pnpm = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
  await must("Installing the dependencies failed", "npx", ["--yes", pnpm, "install", "--frozen-lockfile"], {
    quiet: true,
  });
  writeFileSync(stamp, wanted);
}

/** Compiles the TypeScript that changed and bundles the page when its sources changed. */
export async function ensureBuilt() {
  await ensureInstalled();
  await must("The TypeScript build failed", bin("tsc"), ["-b"]);
  await ensurePage();
}

async function ensurePage() {
  const app = join(root, "apps/proofreader");
  if (!existsSync(join(app, "vite.config.mjs"))) return;
  const files = [...filesBelow("apps/proofreader/page"), "apps/proofreader/vite.config.mjs", "pnpm-lock.yaml"];
  const stamp = join(app, "dist/page/.built");
  const wanted = digest(files);
  if (read(stamp) === wanted) return;
  console.error("Bundling the page …");
  await must("Bundling the page failed", bin("vite"), ["build", "--logLevel", "warn"], { cwd: app, quiet: true });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `Node ${process.versions.node} is too old: pcg needs Node 20.19 or newer. Install it from your package manager or nodejs.org.`,
  );
  process.exit(1);
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
    .sort();
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(file)
      .update("\0")
      .update(read(join(root, file)) ?? "")
      .update("\0");
  return hash.digest("hex");
}

function read(file) {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
