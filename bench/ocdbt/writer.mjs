// A process that commits batches of 8 values of 8 KiB; it prints a line when it is up. A line with {folder, name, commits, config, isCoordinated} opens a database and commits
// once to warm up; the next begins.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { memoryKvStore } from "../../packages/kvstore/dist/index.js";
import { httpTransport } from "../../packages/ocdbt/dist/coordinator-http.js";
import { coordinatedCommitter, openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { text } from "./measure.mjs";

// Compiled as in any process that has written for a second.
const rehearsal = await openOcdbt(memoryKvStore());
for (let i = 0; i < 50; i++) await commitBatch(rehearsal, "rehearsal", i);
await rehearsal.close();
console.log("up");

const lines = createInterface(process.stdin)[Symbol.asyncIterator]();
const connect = ({ address }) => (address === null ? undefined : httpTransport(address));
for (;;) {
  const { value: line, done } = await lines.next();
  if (done) break;
  const { folder, name, commits, config, isCoordinated } = JSON.parse(line);
  const committer = isCoordinated ? { committer: coordinatedCommitter({ connect }) } : {};
  const db = await openOcdbt(fileKvStore(folder), { config, ...committer });
  let conflicts = 0;
  db.parts.onCommit(({ kind }) => {
    if (kind === "conflict") conflicts++;
  });
  await commitBatch(db, name, "warm");
  console.log("ready");
  await lines.next();
  conflicts = 0;
  const begin = Date.now();
  const times = [];
  for (let i = 0; i < commits; i++) {
    const from = performance.now();
    await commitBatch(db, name, i);
    times.push(performance.now() - from);
  }
  const end = Date.now();
  await db.close();
  console.log(JSON.stringify({ begin, end, times, conflicts }));
}
process.exit(0);

async function commitBatch(db, name, i) {
  const put = (k) => ({ op: "put", key: text(`${name}/${i}/${k}`), value: randomBytes(8192) });
  await db.apply(Array.from({ length: 8 }, (_, k) => put(k)));
}
