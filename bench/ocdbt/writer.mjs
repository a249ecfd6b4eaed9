// `node writer.mjs FOLDER NAME COMMITS`: one process that commits batches of 8 values of 8 KiB: one to warm up, the others once it
// reads a line.
import { once } from "node:events";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";

const [folder, name, commits] = process.argv.slice(2);
const db = await openOcdbt(fileKvStore(folder));
const text = new TextEncoder();
await commit("warm");
console.log("ready");
await once(process.stdin, "data");
const begin = Date.now();
for (let i = 0; i < Number(commits); i++) await commit(i);
const end = Date.now();
await db.close();
console.log(JSON.stringify({ begin, end }));
process.exit(0);

async function commit(i) {
  await db.apply(
    Array.from({ length: 8 }, (_, k) => ({
      op: "put",
      key: text.encode(`${name}/${i}/${k}`),
      value: new Uint8Array(8192).fill(k),
    })),
  );
}
