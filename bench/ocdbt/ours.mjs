// Databases on the local disk, synced unless it says otherwise; the peer does the same with TensorStore and the same configuration.
// `npm run bench -- ocdbt [reads] [writes] [amplification] [versions] [writers] [history] [latency]`: all of them unless some are named.
// Times are the best of several short runs, since a machine that is busy otherwise makes the others slower.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { results } from "./measure.mjs";

const SECTIONS = ["reads", "writes", "amplification", "versions", "writers", "history", "latency"];
const named = process.argv.slice(2);
const unknown = named.filter((name) => !SECTIONS.includes(name));
if (unknown.length > 0) throw new Error(`There is no ${unknown.join(", ")}; known: ${SECTIONS.join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "pcg-bench-"));
try {
  for (const name of SECTIONS) {
    if (named.length > 0 && !named.includes(name)) continue;
    const place = join(folder, name);
    mkdirSync(place);
    const { run } = await import(`./${name}.mjs`);
    await run(place);
    rmSync(place, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(JSON.stringify(results));
// Connections to a coordinator are kept for a while.
process.exit(0);
