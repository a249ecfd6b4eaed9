// Harness 7: a store far away. How many requests there are, and how many of them wait for one another ("depth"), which is what counts there.
// Reads are those of an HTTP server in this process; commits go to a memory store whose every call takes as long.
import { join } from "node:path";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { httpKvStore } from "../../packages/kvstore/dist/http.js";
import { memoryKvStore } from "../../packages/kvstore/dist/index.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { farStore, makeFarDatabase, serveFar } from "./far.mjs";
import { config, count, KEYS, key, ms, report, text, value512 } from "./measure.mjs";

export async function run(folder) {
  const place = join(folder, "db");
  await makeFarDatabase(fileKvStore(place, { fsync: false }));
  for (const delay of [10, 50, 100]) {
    const server = await serveFar(place, delay);
    const cold = async (name, use) => {
      server.take();
      const took = await ms(async () => {
        const db = await openOcdbt(httpKvStore(server.url));
        await use(db);
        await db.close();
      });
      state(`${name}, ${delay} ms away`, took, server.take());
    };
    await cold("open and read one key", (db) => db.read(key(777)));
    await cold("open and read 100 keys", (db) =>
      Promise.all(Array.from({ length: 100 }, (_, i) => db.read(key(i * 997)))),
    );
    await cold("open and list 10^5 keys", (db) => count(db.list()));
    await server.close();
  }

  const near = memoryKvStore();
  await makeFarDatabase(near);
  for (const delay of [10, 50, 100]) {
    const far = farStore(near, delay);
    const timed = async (name, work) => {
      far.take();
      state(`${name}, ${delay} ms away`, await ms(work), far.take());
    };
    let db;
    await timed("open and commit one key", async () => {
      db = await openOcdbt(far.store, { config });
      await db.write(key(555), text(`first of ${delay}`));
    });
    await timed("commit of one key, warm", () => db.write(key(555), text(`second of ${delay}`)));
    const values = Array.from({ length: 64 }, (_, i) => ({ op: "put", key: key(i * (KEYS / 64)), value: value512 }));
    await timed("commit of 64 keys", () => db.apply(values));
    await db.close();
  }
}

function state(name, took, { requests, depth }) {
  report(name, took, "ms");
  report(`${name}: requests`, requests, "");
  report(`${name}: depth`, depth, "");
}
