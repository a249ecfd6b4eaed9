// `node make-versions.mjs FOLDER COUNT`: lets the database in FOLDER have COUNT versions, of 16 contents in turn, and prints 100 of them as
// JSON. Far quicker than as many commits, and the same in the files: all go into one manifest.
import { pathToFileURL } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { formatCommitTime, openOcdbt, versions } from "../../packages/ocdbt/dist/index.js";
import { config } from "./measure.mjs";

export async function makeVersions(folder, count) {
  const db = await openOcdbt(fileKvStore(folder, { fsync: false }), { config });
  const samples = await addVersions(db, count, { samples: 100 });
  await db.close();
  return samples;
}

/** @returns some versions in no order; times are those of the versions themselves. */
export async function addVersions(db, count, { samples = 0 } = {}) {
  const first = await db.head();
  if (first === undefined) {
    for (let i = 0; i < 16; i++) await db.write("key", new TextEncoder().encode(`content ${i}`));
  }
  const roots = [];
  for await (const { root } of versions(db)) if (roots.push(root) === 16) break;
  await db.parts.updateManifest({
    next: async (current, writer) => {
      let manifest = current;
      for (;;) {
        const generation = manifest.versions.at(-1).generation;
        if (generation >= BigInt(count)) break;
        ({ manifest } = await db.parts.appendVersion(manifest, roots[Number(generation) % roots.length], writer));
        // Later version nodes are made of earlier ones, which have to be there then.
        if (manifest.versions.length === 1) await writer.flush();
      }
      return manifest;
    },
  });
  const picked = [];
  for (let i = 0; i < samples; i++) {
    const generation = BigInt(1 + ((i * 7919) % count));
    const { commitTime } = await (await db.at({ generation })).version();
    picked.push({ generation: Number(generation), time: formatCommitTime(commitTime) });
  }
  return picked;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder, count] = process.argv.slice(2);
  console.log(JSON.stringify(await makeVersions(folder, Number(count))));
}
