/**
 * Our upkeep in the OCDBT interop tests: reads one JSON command per line, answers one JSON line each.
 *
 *   {"op":"expire","folder":…,"keepLast":n,"tags":[generation…]}
 *   {"op":"sweep","folder":…}                       at once, without grace
 *   {"op":"compact","folder":…,"liveRatio":x}
 *   {"op":"rebuild","folder":…}
 *   {"op":"fsck","folder":…}                        codes of what is no note
 *   {"op":"repair","folder":…}                      kinds of what was done
 */
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { createTag } from "../../packages/ocdbt/dist/history/tags.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { compact, expire, fsck, rebuild, repair, sweep } from "../../packages/ocdbt/dist/upkeep/index.js";
import { answerLines } from "../answer-lines.mjs";

async function within(folder, work) {
  const db = await openOcdbt(await fileKvStore(folder), { create: false });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

await answerLines({
  expire: ({ folder, keepLast, tags = [] }) =>
    within(folder, async (db) => {
      for (const generation of tags) await createTag(db, `tag-${generation}`, { generation: BigInt(generation) });
      const { expired, kept } = await expire(db, { keepLast });
      return { expired: Number(expired), kept: Number(kept) };
    }),

  sweep: ({ folder }) => within(folder, async (db) => (await sweep(db, { graceMs: 0 })).removed.length),

  compact: ({ folder, liveRatio }) => within(folder, (db) => compact(db, { liveRatio })),

  rebuild: ({ folder }) => within(folder, async (db) => (await rebuild(db)).keys),

  async fsck({ folder }) {
    const { findings } = await fsck(await fileKvStore(folder), { deep: true });
    return findings.filter(({ severity }) => severity !== "note").map(({ code, message }) => `${code}: ${message}`);
  },

  async repair({ folder }) {
    return (await repair(await fileKvStore(folder))).actions.map(({ kind }) => kind);
  },
});
