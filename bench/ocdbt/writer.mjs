// A process that commits batches of 8 values of 8 KiB. A line with {folder, name, commits, config, isCoordinated} opens a database and commits
// once to warm up; the next begins.
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { httpTransport } from "../../packages/ocdbt/dist/coordinator-http.js";
import { coordinatedCommitter, openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { text } from "./measure.mjs";

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
  const commit = async (i) => {
    const put = (k) => ({ op: "put", key: text(`${name}/${i}/${k}`), value: randomBytes(8192) });
    await db.apply(Array.from({ length: 8 }, (_, k) => put(k)));
  };
  await commit("warm");
  console.log("ready");
  await lines.next();
  conflicts = 0;
  const begin = Date.now();
  const times = [];
  for (let i = 0; i < commits; i++) {
    const from = performance.now();
    await commit(i);
    times.push(performance.now() - from);
  }
  const end = Date.now();
  await db.close();
  console.log(JSON.stringify({ begin, end, times, conflicts }));
}
process.exit(0);
