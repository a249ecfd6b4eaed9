/**
 * `npm run bench -- NAME [PART…] [--json] [--rounds N]`: runs `bench/NAME/ours.mjs` and, where a peer exists,
 * `bench/NAME/peer.py` in fresh processes in alternating order, and prints medians side by side. Parts are handed to both:
 * `ocdbt` has some (`npm run bench -- ocdbt writers`), see its `ours.mjs`.
 *
 * Both programs print one JSON object as their last line: `{ "<metric>": { "value": n, "unit": "…", "better": "higher" |
 * "lower" }, … }`, the headline metric first. A ratio above 1 means we are better. Ours may name a `goal` beside the value.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, root } from "./workspace.mjs";

const args = process.argv.slice(2);
const [name, ...parts] = args.filter((arg) => !arg.startsWith("--") && !/^\d+$/.test(arg));
const folder = join(root, "bench", name ?? "");
// A benchmark that repeats what it measures by itself says so.
const settings = join(folder, "bench.json");
const usual = existsSync(settings) ? JSON.parse(readFileSync(settings, "utf8")).rounds : 3;
const rounds = Number(args[args.indexOf("--rounds") + 1]) || usual;
if (name === undefined || !existsSync(join(folder, "ours.mjs"))) {
  const known = readdirSync(join(root, "bench")).filter((entry) => existsSync(join(root, "bench", entry, "ours.mjs")));
  console.error(
    `${name === undefined ? "Name a benchmark" : `There is no benchmark "${name}"`}; known: ${known.join(", ")}`,
  );
  process.exit(2);
}
await ensureBuilt();
const python = join(root, ".venv/bin/python");
const peer =
  existsSync(join(folder, "peer.py")) && existsSync(python) ? [python, join(folder, "peer.py"), ...parts] : undefined;
if (existsSync(join(folder, "peer.py")) && !peer)
  console.error("The peers are not installed (npm run test:interop does it): ours alone.");

const ours = [process.execPath, join(folder, "ours.mjs"), ...parts];
const results = { ours: [], peer: [] };
for (let round = 0; round < rounds; round++) {
  const order = peer && round % 2 === 1 ? ["peer", "ours"] : ["ours", "peer"];
  for (const who of order) {
    const command = who === "ours" ? ours : peer;
    if (command) results[who].push(await measure(command));
  }
}
const lines = Object.entries(results.ours[0]).map(([metric, { unit, better, goal }]) => {
  const [mine, theirs] = [results.ours, results.peer].map((runs) =>
    median(runs.flatMap((run) => run[metric]?.value ?? [])),
  );
  const ratio = theirs === undefined ? null : better === "lower" ? theirs / mine : mine / theirs;
  // Of nothing there is none.
  const shown = Number.isFinite(ratio) ? round3(ratio) : null;
  const aim = goal === undefined ? {} : { goal, met: better === "lower" ? mine <= goal : mine >= goal };
  return { bench: name, metric, ours: round3(mine), peer: round3(theirs), ratio: shown, unit, ...aim };
});
for (const line of lines) {
  const peerText =
    line.peer === null ? "" : `  peer ${line.peer} ${line.unit}${line.ratio === null ? "" : `  ratio ${line.ratio}`}`;
  const goalText = line.goal === undefined ? "" : `  goal ${line.goal} ${line.unit} ${line.met ? "met" : "missed"}`;
  if (!args.includes("--json")) console.log(`${line.metric}: ours ${line.ours} ${line.unit}${goalText}${peerText}`);
}
for (const line of lines.reverse()) console.log(JSON.stringify(line));

function measure([command, ...rest]) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code !== 0) reject(new Error(`${rest.join(" ")} ended with ${code}`));
      else resolve(JSON.parse(output.trim().split("\n").at(-1)));
    });
  });
}

function median(values) {
  if (values.length === 0) return undefined;
  return values.sort((a, b) => a - b)[values.length >> 1];
}

function round3(value) {
  return value === undefined || value === null ? null : Number(value.toPrecision(4));
}
