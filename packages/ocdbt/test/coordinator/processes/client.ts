/**
 * `node child.mjs <folder> <writer> <first> <direct|coordinated>`: one batch after another, of three keys that belong
 * together; the number of each is printed when it is acknowledged.
 */
import { keyBytes } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import { httpTransport } from "../../../src/coordinator-http.ts";
import { coordinatedCommitter, openOcdbt } from "../../../src/index.ts";

const [folder, writer, first, way] = process.argv.slice(2) as [string, string, string, string];
const say = (line: string) => new Promise<void>((resolve) => process.stdout.write(`${line}\n`, () => resolve()));

const db = await openOcdbt(fileKvStore(folder), {
  config: { maxInlineValueBytes: 20, maxDecodedNodeBytes: 1000, versionTreeArityLog2: 2 },
  ...(way === "coordinated" && {
    committer: coordinatedCommitter({
      connect: ({ address }) => (address === null ? undefined : httpTransport(address)),
    }),
  }),
});
for (let i = Number(first); ; i++) {
  await db.apply([
    { op: "put", key: keyBytes(`${writer}/last`), value: keyBytes(String(i)) },
    { op: "put", key: keyBytes(`${writer}/${i}/small`), value: keyBytes(`${i}`) },
    { op: "put", key: keyBytes(`${writer}/${i}/large`), value: keyBytes(`${i} `.repeat(100)) },
  ]);
  await say(`${i}`);
}
