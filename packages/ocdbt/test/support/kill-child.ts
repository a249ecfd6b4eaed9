/**
 * What the processes of the kill test run: `node child.mjs <folder> <writer> <first>`. Each round writes one atomic batch of
 * three keys that belong together, and prints its number when it is acknowledged.
 */
import { keyBytes } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { openOcdbt } from "../../src/index.ts";

const [folder, writer, first] = process.argv.slice(2) as [string, string, string];
const say = (line: string) => new Promise<void>((resolve) => process.stdout.write(`${line}\n`, () => resolve()));

const db = await openOcdbt(fileKvStore(folder), {
  config: { maxInlineValueBytes: 20, maxDecodedNodeBytes: 1000, versionTreeArityLog2: 2 },
});
for (let i = Number(first); ; i++) {
  await db.apply([
    { op: "put", key: keyBytes(`${writer}/last`), value: keyBytes(String(i)) },
    { op: "put", key: keyBytes(`${writer}/${i}/small`), value: keyBytes(`${i}`) },
    { op: "put", key: keyBytes(`${writer}/${i}/large`), value: keyBytes(`${i} `.repeat(100)) },
  ]);
  await say(`${i}`);
}
