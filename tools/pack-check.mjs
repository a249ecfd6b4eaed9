/** Packs every publishable package, installs the tarballs into an empty project and imports every entry point. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, must, root, workspaceFolders } from "./workspace.mjs";

export async function packCheck() {
  const project = mkdtempSync(join(tmpdir(), "pcg-pack-"));
  try {
    const dependencies = {};
    const peers = {};
    const entries = [];
    for (const folder of workspaceFolders("packages", "apps")) {
      const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
      if (manifest.private) continue;
      const tarball = join(project, `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`);
      await must(`Packing ${folder} failed`, bin("pnpm"), ["pack", "--out", tarball], {
        cwd: join(root, folder),
        quiet: true,
      });
      if (folder.startsWith("packages/")) {
        await must(
          `Types of ${folder} do not resolve for its users`,
          bin("attw"),
          [tarball, "--profile", "esm-only", "--quiet"],
          { quiet: true },
        );
      }
      dependencies[manifest.name] = `file:${tarball}`;
      // Optional peers belong to single entry points, such as a conformance suite; import those too.
      Object.assign(peers, manifest.peerDependencies);
      for (const subpath of Object.keys(manifest.exports)) entries.push(join(manifest.name, subpath));
    }
    writeFileSync(
      join(project, "package.json"),
      JSON.stringify({
        private: true,
        type: "module",
        dependencies: { ...peers, ...dependencies },
        overrides: dependencies,
      }),
    );
    writeFileSync(
      join(project, "import-all.js"),
      `const known = process.getActiveResourcesInfo().length;\nfor (const entry of ${JSON.stringify(entries)}) await import(entry);\nif (process.getActiveResourcesInfo().length > known) throw new Error("importing keeps the process alive");\n`,
    );
    await must("Installing the packed packages failed", "npm", ["install", "--silent", "--no-audit", "--no-fund"], {
      cwd: project,
      quiet: true,
    });
    await must("A packed package cannot be imported", process.execPath, ["import-all.js"], { cwd: project });
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}
