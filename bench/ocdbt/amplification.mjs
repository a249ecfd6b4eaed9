// Harness 5: bytes that a commit of one key writes on 10^5 keys, data files and manifest; mean of 32. Then what is left of 1000 commits
// after expiry, compaction and sweep.
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { compact, expire, openOcdbt, sweep } from "../../packages/ocdbt/dist/index.js";
import { cases, contentOf, EDITS, edited, keyOf } from "./cases.mjs";
import { config, dataBytes, report, text } from "./measure.mjs";

export async function run(folder) {
  for (const [index, one] of cases.entries()) {
    report(`bytes per edit, ${one.name}`, await bytesPerEdit(join(folder, `${index}`), one), "B");
  }
  await live(join(folder, "live"));
}

async function bytesPerEdit(place, one) {
  // Beside TensorStore's defaults stand ours.
  const asked = one.atDefaults ? {} : { ...config, maxInlineValueBytes: one.inline, maxDecodedNodeBytes: one.node };
  const db = await openOcdbt(fileKvStore(place, { fsync: false }), { config: asked });
  const all = Array.from({ length: one.keys }, (_, i) => ({ op: "put", key: keyOf(one, i), value: contentOf(one, i) }));
  await db.apply(all);
  const before = dataBytes(place);
  let manifests = 0;
  for (let i = 0; i < EDITS; i++) {
    await db.write(
      keyOf(one, edited(one, i)),
      one.edit === undefined ? contentOf(one, i + 1e6) : text(`${one.edit} ${i}`),
    );
    manifests += statSync(join(place, "manifest.ocdbt")).size;
  }
  await db.close();
  return (dataBytes(place) - before + manifests) / EDITS;
}

/** Files per byte that is needed, with nodes and values as they are made by default. */
async function live(place) {
  const one = cases[0];
  const db = await openOcdbt(fileKvStore(place, { fsync: false }));
  const value = (i) => contentOf({ ...one, value: 4096 }, i);
  await db.apply(Array.from({ length: 10_000 }, (_, i) => ({ op: "put", key: keyOf(one, i), value: value(i) })));
  for (let i = 0; i < 1000; i++) await db.write(keyOf(one, (i * 7919) % 10_000), value(i + 1e6));
  const ratio = async () => {
    const { root } = await db.version();
    const { numTreeBytes, numIndirectValueBytes } = root.statistics;
    return dataBytes(place) / Number(numTreeBytes + numIndirectValueBytes);
  };
  report("bytes in files per live byte, after 1000 edits", await ratio(), "x");
  await expire(db, { keepLast: 1 });
  await compact(db, { liveRatio: 0.99 });
  await expire(db, { keepLast: 1 });
  await sweep(db, { graceMs: 0 });
  report("bytes in files per live byte, after expire, compact, sweep", await ratio(), "x");
  await db.close();
}
