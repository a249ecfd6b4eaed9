/** `node turns.mjs <spec of the base> <count>`: so many commits, one after the other. Prints how many attempts each took, as JSON. */
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStoreSpec } from "../../packages/kvstore/dist/index.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";

const [spec, count] = process.argv.slice(2);
const db = await openOcdbt(await openKvStoreSpec(JSON.parse(spec), fileDriver()), { create: false });
const attempts = [];
db.parts.onCommit(({ kind, attempt }) => kind !== "conflict" && attempts.push(attempt));
for (let i = 0; i < Number(count); i++) await db.write(`ours/${i}`, new Uint8Array(i * 100));
await db.close();
process.stdout.write(JSON.stringify(attempts));
