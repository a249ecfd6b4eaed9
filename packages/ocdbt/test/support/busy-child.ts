/** What the processes of the test of turns run: `node child.mjs <folder> <writer>`, commits without a pause, each of which prints a line. */
import { fileKvStore } from "@pcg/kvstore/file";
import { openOcdbt } from "../../src/index.ts";

const [folder, writer] = process.argv.slice(2) as [string, string];
const db = await openOcdbt(fileKvStore(folder));
for (let i = 0; ; i++) {
  await db.write(`${writer}/${i % 1000}`, new Uint8Array(i % 3 === 0 ? 5000 : 50));
  process.stdout.write(`${i}\n`);
}
