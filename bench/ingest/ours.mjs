/**
 * Ingest of a real segmentation, tiled to 1×, 8× and 64× its size with labels of its own in each tile. Every ingest is a fresh
 * process of the command. Which sizes: PCG_BENCH_SIZES=1,8,64 (default 1,8; 64 is 4.3 Gvoxels and takes minutes).
 *
 * Peak memory is what the process had resident at most. On Linux it is told apart: pages of its own, and pages of the files it
 * has mapped. The latter are LMDB's data, which the kernel takes back whenever somebody needs the room; they grow with the graph up
 * to the memory that is free, the former must not.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { remapCompressedSegmentation } from "../../packages/kernels/dist/compressed-segmentation.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const source = join(root, "../shared/data/segmentation");
const program = join(root, "apps/ingest/dist/main.js");
if (!existsSync(source)) {
  console.error(`The benchmark needs the real segmentation beside the repository (${source}).`);
  process.exit(1);
}
const sizes = (process.env.PCG_BENCH_SIZES ?? "1,8").split(",").map(Number);
const folder = await mkdtemp(join(tmpdir(), "pcg-bench-ingest-"));
const results = {};
try {
  for (const size of sizes) {
    const volume = join(folder, `volume-${size}`);
    await tile(volume, Math.round(Math.cbrt(size)));
    const args = [program, "--volume", volume, "--data", join(folder, `data-${size}`), "--json"];
    const { output, own, mapped } = await watch(
      spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }),
    );
    const report = JSON.parse(output);
    console.error(
      `${size}×: ${(report.voxels / 1e6).toFixed(0)} Mvoxels, ${report.supervoxels} supervoxels, ${report.seconds.toFixed(1)} s`,
    );
    results[`voxels per second, ${size}×`] = {
      value: report.voxelsPerSecond / 1e6,
      unit: "Mvoxels/s",
      better: "higher",
    };
    const peak = (what, bytes) => {
      results[`${what}, ${size}×`] = { value: bytes / 2 ** 20, unit: "MiB", better: "lower" };
    };
    peak("peak memory", report.peakMemory);
    if (own > 0) {
      peak("peak memory, own pages", own);
      peak("peak memory, pages of mapped files", mapped);
    }
    await rm(volume, { recursive: true });
    await rm(join(folder, `data-${size}`), { recursive: true });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(results));

/** What a process printed, and how many bytes of its own and of files it had resident at most, looked at 50 times a second. */
async function watch(child) {
  let [output, own, mapped] = ["", 0, 0];
  child.stdout.on("data", (data) => {
    output += data;
  });
  const timer = setInterval(() => {
    const status = `/proc/${child.pid}/status`;
    if (!existsSync(status)) return;
    const text = readFileSync(status, "utf8");
    const bytes = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
    own = Math.max(own, bytes("RssAnon"));
    mapped = Math.max(mapped, bytes("RssFile"));
  }, 20);
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`the ingest ended with ${code}`);
  return { output, own, mapped };
}

/** Copies the finest scale `times` times along each axis; label l of tile t becomes l + t·2^32. */
async function tile(target, times) {
  const info = JSON.parse(await readFile(join(source, "info"), "utf8"));
  const [scale] = info.scales;
  const [chunkSize] = scale.chunk_sizes;
  info.scales = [{ ...scale, size: scale.size.map((length) => length * times) }];
  await mkdir(join(target, scale.key), { recursive: true });
  await writeFile(join(target, "info"), JSON.stringify(info));
  for (const name of await readdir(join(source, scale.key))) {
    const box = name.split("_").map((range) => range.split("-").map(Number));
    const bytes = await readFile(join(source, scale.key, name));
    for (let t = 0; t < times ** 3; t++) {
      const place = [t % times, Math.floor(t / times) % times, Math.floor(t / times ** 2)];
      const moved = box
        .map((range, axis) => range.map((at) => at + place[axis] * scale.size[axis]).join("-"))
        .join("_");
      const shift = BigInt(t) << 32n;
      const tiled = remapCompressedSegmentation(
        bytes,
        chunkSize,
        1,
        scale.compressed_segmentation_block_size,
        (labels) => labels.map((label) => (label === 0n ? 0n : label + shift)),
      );
      await writeFile(join(target, scale.key, moved), tiled);
    }
  }
}
