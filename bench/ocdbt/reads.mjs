// Harness 1 and 3: reads and lists among 10^5 keys, warm and cold.
import { join } from "node:path";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { best, config, count, KEYS, key, report, text, value512 } from "./measure.mjs";

export async function run(folder) {
  const place = join(folder, "db");
  const open = () => openOcdbt(fileKvStore(place, { fsync: false }), { config });
  let db = await open();
  await db.apply(Array.from({ length: KEYS }, (_, i) => ({ op: "put", key: key(i), value: value512 })));
  await db.apply(Array.from({ length: 2000 }, (_, i) => ({ op: "put", key: key(i * 50), value: text(`${i}`) })));
  for (const [name, bytes] of [
    ["4k", 4096],
    ["64k", 65_536],
  ]) {
    const value = new Uint8Array(bytes).fill(7);
    await db.apply(Array.from({ length: 200 }, (_, i) => ({ op: "put", key: text(`${name}/${i}`), value })));
  }

  const pinned = await db.at({ ancestor: 0 });
  const serial = (store, times, pick, options) => async () => {
    for (let i = 0; i < times; i++) await store.read(pick(i), options);
  };
  const perRead = async (name, store, times, pick, options) =>
    report(name, (await best(serial(store, times, pick, options), times)) * 1000, "us");
  await count(db.list()); // warm: every node is in memory
  await perRead("warm read of 512 B, pinned", pinned, 500, (i) => key(i * 13 + 1));
  await perRead("warm read inline, pinned", pinned, 500, (i) => key(i * 50));
  await perRead("warm read of 4 KiB, pinned", pinned, 200, (i) => text(`4k/${i}`));
  await perRead("warm read of 64 KiB, pinned", pinned, 200, (i) => text(`64k/${i}`));
  const range = { offset: 1000, length: 100 };
  await perRead("warm read of 100 B within 64 KiB, pinned", pinned, 200, (i) => text(`64k/${i}`), { range });
  await perRead("warm read of 512 B, newest", db, 500, (i) => key(i * 13 + 1));
  const parallel = () => Promise.all(Array.from({ length: 2000 }, (_, i) => db.read(key(i * 17 + 1))));
  report("warm read of 512 B, 2000 at once", (await best(parallel, 2000)) * 1000, "us");
  report("list of 10^5 keys, warm", await best(() => count(db.list())), "ms");
  const lists = async () => {
    for (let i = 10; i < 30; i++) await count(db.list({ prefix: `key/000${i}` }));
  };
  report("list of 1000 keys by prefix", await best(lists, 20), "ms");
  report("list of one level of 10^5 keys", await best(() => count(db.listLevel())), "ms");
  await db.close();

  let next = 0;
  const cold = async () => {
    for (let i = 0; i < 20; i++) {
      db = await open();
      await db.read(key(next++ * 101 + 7));
      await db.close();
    }
  };
  report("open and read one key, cold", await best(cold, 20), "ms");
  const coldList = async () => {
    db = await open();
    await count(db.list());
    await db.close();
  };
  report("open and list 10^5 keys, cold", await best(coldList), "ms");
}
