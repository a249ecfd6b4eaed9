// Compiles assembly/*.ts to src/wasm/*.wasm.ts. With --check it writes nothing and fails when a committed file differs.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const kernels = [
  "component-stats",
  "components",
  "compressed-segmentation-decode",
  "compressed-segmentation-encode",
  "contacts",
  "distance-transform",
  "geodesic",
  "grid-cut",
  "renumber",
];
const flags = ["-O3", "--converge", "--runtime", "stub", "--importMemory", "--initialMemory", "1"];
flags.push("--enable", "simd", "--enable", "bulk-memory", "--use", "abort=", "--noColors");

/** The text of `src/wasm/<kernel>.wasm.ts`. */
export async function buildKernel(kernel) {
  const folder = await mkdtemp(join(tmpdir(), "pcg-kernels-"));
  try {
    const binary = join(folder, "kernel.wasm");
    const { error, stderr } = await asc.main([
      `assembly/${kernel}.ts`,
      "--outFile",
      binary,
      ...flags,
      "--baseDir",
      packageFolder,
    ]);
    if (error) throw new Error(`assembly/${kernel}.ts does not compile:\n${stderr}`);
    const bytes = await readFile(binary);
    const text = bytes
      .toString("base64")
      .replace(/.{1,116}/g, '  "$&" +\n')
      .replace(/ \+\n$/, ";\n");
    return `// Generated from assembly/${kernel}.ts by scripts/build-wasm.mjs (${bytes.length} bytes).\nexport const wasm: string =\n${text}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export { kernels };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes("--check");
  for (const kernel of kernels) {
    const file = new URL(`../src/wasm/${kernel}.wasm.ts`, import.meta.url);
    const text = await buildKernel(kernel);
    const committed = await readFile(file, "utf8").catch(() => "");
    if (committed === text) continue;
    if (check) {
      console.error(
        `${kernel}.wasm.ts differs from what assembly/${kernel}.ts compiles to; run scripts/build-wasm.mjs`,
      );
      process.exitCode = 1;
    } else {
      await writeFile(file, text);
      console.log(`${kernel}.wasm.ts: ${text.length} characters`);
    }
  }
}
