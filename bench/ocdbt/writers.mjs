// Harness 4: 1 to 16 processes that commit to one database at once, each for itself or through a coordinator, with values indirect (inline
// limit 4 KiB) or inside nodes (1 MiB); and what they leave behind.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { serveCoordinator } from "../../packages/ocdbt/dist/coordinator-http.js";
import { Coordinator, openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { report } from "./measure.mjs";
import { countOrphans } from "./orphans.mjs";

const MOST = 16;
const COMMITS = 8;

export async function run(folder) {
  const program = fileURLToPath(new URL("writer.mjs", import.meta.url));
  const writers = Array.from({ length: MOST }, () => {
    const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  });
  await Promise.all(writers.map(({ lines }) => lines.next()));
  for (const [limit, maxInlineValueBytes] of [
    ["4 KiB", 4096],
    ["1 MiB", 1 << 20],
  ]) {
    for (const mode of ["direct", "coordinator"]) {
      for (const count of [1, 2, 4, 8, 16]) {
        const place = join(folder, `${maxInlineValueBytes}-${mode}-${count}`);
        const config = { maxInlineValueBytes, maxDecodedNodeBytes: 65_536, versionTreeArityLog2: 4 };
        await together(`${count} writers, ${mode}, inline ${limit}`, place, config, mode, writers.slice(0, count));
      }
    }
  }
  for (const { child } of writers) child.stdin.end();
}

async function together(name, folder, config, mode, writers) {
  const isCoordinated = mode === "coordinator";
  const stop = isCoordinated ? await coordinate(folder, config) : undefined;
  const answers = () => Promise.all(writers.map(async ({ lines }) => (await lines.next()).value));
  for (const [i, { child }] of writers.entries()) {
    child.stdin.write(`${JSON.stringify({ folder, name: `w${i}`, commits: COMMITS, config, isCoordinated })}\n`);
  }
  await answers();
  for (const { child } of writers) child.stdin.write("go\n");
  const ends = (await answers()).map((line) => JSON.parse(line));
  await stop?.();
  const { files, bytes } = await countOrphans(folder);
  const seconds = (Math.max(...ends.map(({ end }) => end)) - Math.min(...ends.map(({ begin }) => begin))) / 1000;
  const times = ends.flatMap((end) => end.times).sort((a, b) => a - b);
  report(`${name}: commits`, (writers.length * COMMITS) / seconds, "1/s", "higher");
  report(`${name}: p99`, times[Math.floor(times.length * 0.99)], "ms");
  if (!isCoordinated)
    report(
      `${name}: conflicts`,
      ends.reduce((sum, { conflicts }) => sum + conflicts, 0),
      "",
    );
  report(`${name}: orphan files`, files, "");
  report(`${name}: orphan bytes`, bytes, "B");
}

/** @returns what ends the coordinator */
async function coordinate(folder, config) {
  const db = await openOcdbt(fileKvStore(folder), { config });
  let coordinator;
  const server = await serveCoordinator(() => coordinator, { address: `unix:${folder}.sock` });
  await new Promise((resolve) => {
    const onLeading = (leads) => leads && resolve();
    coordinator = new Coordinator({ ...db.parts, address: server.address, onLeading });
    coordinator.start();
  });
  return async () => {
    await coordinator.stop();
    await server.close();
    await db.close();
  };
}
