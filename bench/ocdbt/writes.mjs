// Harness 2: batches and commits of one key, on 10^5 keys.
import { join } from "node:path";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { best, config, KEYS, key, report, text, value512 } from "./measure.mjs";

export async function run(folder) {
  const puts = (count) => Array.from({ length: count }, (_, i) => ({ op: "put", key: key(i), value: value512 }));
  let made = 0;
  for (const exponent of [2, 3, 4, 5]) {
    const mutations = puts(10 ** exponent);
    const batch = async () => {
      const db = await openOcdbt(fileKvStore(join(folder, `${made++}`)), { config });
      await db.apply(mutations);
      await db.close();
    };
    report(`batch put of 10^${exponent} x 512 B`, await best(batch, 1, exponent < 5 ? 12 : 3), "ms");
  }

  const place = join(folder, "db");
  const open = (options = {}) => openOcdbt(fileKvStore(place, options), { config });
  let db = await open();
  await db.apply(puts(KEYS));
  let next = 0;
  // As many as a version node holds, so that each run makes one.
  const edits = (times) => async () => {
    for (let i = 0; i < times; i++) await db.write(key(next++ * 31), text(`small ${next}`));
  };
  report("one-key commit, synced", await best(edits(16), 16), "ms");
  await db.close();
  db = await open({ fsync: false });
  report("one-key commit, not synced", await best(edits(16), 16), "ms");
  const overwrites = async () => {
    for (let i = 0; i < 16; i++) await db.write(key(1), text(`small ${next++}`));
  };
  report("commit of the same key, not synced", await best(overwrites, 16), "ms");
  const together = () => Promise.all(Array.from({ length: 64 }, (_, i) => db.write(key(i * 97), text(`${next++}`))));
  report("64 writes at once, not synced", await best(together), "ms");
  await db.close();
}
