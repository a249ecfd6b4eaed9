/**
 * `npm run test:interop`: our formats and our server against the real peers. Makes a Python environment with the pinned
 * peers, installs Debian's Chromium when it is missing, then runs the Python lane and the browser lane.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printSummary, readJunitReport, readVitestReport } from "./summary.mjs";
import { bin, ensureBuilt, must, root, run } from "./workspace.mjs";

const lanes = process.argv.slice(2);
const wants = (lane) => lanes.length === 0 || lanes.includes(lane);
const reports = [];
let worst = 0;

await ensureBuilt();
if (wants("python")) await pythonLane();
if (wants("browser")) await browserLane();
process.exitCode = printSummary(reports, worst);

async function pythonLane() {
  const python = await ensurePython();
  const report = join(root, "interop/.results/python.xml");
  mkdirSync(join(root, "interop/.results"), { recursive: true });
  const code = await run(python, ["-m", "pytest", "interop", "-q", "--junitxml", report], { stdout: process.stdout });
  worst ||= code;
  reports.push(
    existsSync(report)
      ? readJunitReport("python peers", report)
      : { name: "python peers", passed: 0, failed: 1, skipped: 0 },
  );
}

async function browserLane() {
  const chromium = await ensureChromium();
  const app = join(root, "apps/proofreader");
  const code = await run(bin("vitest"), ["run", "--config", "e2e/vitest.config.ts"], {
    cwd: app,
    env: { PCG_CHROMIUM: chromium },
    stdout: process.stdout,
  });
  worst ||= code;
  const report = join(app, "e2e/.results/report.json");
  reports.push(
    existsSync(report)
      ? readVitestReport("page in Chromium", report)
      : { name: "page in Chromium", passed: 0, failed: 1, skipped: 0 },
  );
}

/** The interpreter of `.venv`, made and filled when the pinned requirements changed. */
async function ensurePython() {
  const python = join(root, ".venv/bin/python");
  const requirements = readFileSync(join(root, "interop/requirements.txt"), "utf8");
  const stamp = join(root, ".venv/installed.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === requirements) return python;
  console.error("Installing the peers (Python) …");
  const base = process.env.PCG_PYTHON ?? "python3";
  await must("Making the Python environment failed; it needs Python 3.11 with venv", base, ["-m", "venv", ".venv"]);
  await must("Installing the Python peers failed", python, [
    "-m",
    "pip",
    "install",
    "-q",
    "-r",
    "interop/requirements.txt",
  ]);
  writeFileSync(stamp, requirements);
  return python;
}

/** Path of a Chromium; as root on Debian it is installed when missing. */
async function ensureChromium() {
  const found = [
    process.env.PCG_CHROMIUM,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ].find((file) => file && existsSync(file));
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.error("No Chromium found. Install it (Debian: apt-get install chromium) or set PCG_CHROMIUM to its path.");
    process.exit(1);
  }
  console.error("Installing Chromium …");
  const apt = { env: { DEBIAN_FRONTEND: "noninteractive" }, quiet: true };
  await must("apt-get update failed", "apt-get", ["update", "-q"], apt);
  await must(
    "Installing Chromium failed",
    "apt-get",
    ["install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
    apt,
  );
  return "/usr/bin/chromium";
}
