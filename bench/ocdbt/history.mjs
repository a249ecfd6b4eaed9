// Harness 6: what history, forks and checks cost, by the number of keys and of versions: time, and what is read and written of the store.
// Each is done by a database opened for it, which has nothing in memory; none is closed, which would close the store.
import { memoryKvStore, withCounters } from "../../packages/kvstore/dist/index.js";
import { diff, fork, fsck, openOcdbt, restore, restoreKeys } from "../../packages/ocdbt/dist/index.js";
import { addVersions } from "./make-versions.mjs";
import { config, count, orderedKey, report, text, value512 } from "./measure.mjs";

const RUNS = 4;
const CHUNK = 100_000;

export async function run() {
  for (const exponent of [3, 4, 5, 6]) await byKeys(exponent);
  for (const exponent of [2, 3, 4, 5]) await byVersions(exponent);
}

/** Keys: one has changed since the version before. */
async function byKeys(exponent) {
  const keys = 10 ** exponent;
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config });
  for (let first = 0; first < keys; first += CHUNK) {
    const put = (i) => ({ op: "put", key: orderedKey(first + i), value: value512 });
    await db.apply(Array.from({ length: Math.min(CHUNK, keys - first) }, (_, i) => put(i)));
  }
  await db.write(orderedKey(keys / 2), text("changed"));
  const changed = (await db.head()).generation;
  const before = { generation: changed - 1n };
  // In turn, so that there is something to restore.
  const other = (run) => ({ generation: changed - BigInt((run + 1) % 2) });
  const among = `among 10^${exponent} keys`;
  const head = { ancestor: 0 };
  await measure(store, `diff of one change ${among}`, (fresh) => count(diff(fresh, before, head)));
  await measure(store, `restore ${among}`, (fresh, run) => restore(fresh, other(run)));
  const one = { keys: [orderedKey(keys / 2)] };
  await measure(store, `restore of one key ${among}`, (fresh, run) => restoreKeys(fresh, other(run), one));
  await measure(store, `fork ${among}`, (fresh, run) => fork(fresh, `f${run}`));
  await measure(store, `fsck ${among}`, (_, __, counted) => fsck(counted), exponent < 5 ? RUNS : 1);
}

/** Versions of a database of one key. */
async function byVersions(exponent) {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config });
  await addVersions(db, 10 ** exponent);
  const among = `among 10^${exponent} versions`;
  const old = { generation: 3n };
  await measure(store, `diff with an old version ${among}`, (fresh) => count(diff(fresh, old, { ancestor: 1 })));
  await measure(store, `restore of an old version ${among}`, (fresh, run) =>
    restore(fresh, { generation: BigInt(3 + run) }),
  );
  await measure(store, `fork at an old version ${among}`, (fresh, run) => fork(fresh, `o${run}`, { version: old }));
  await measure(store, `fork ${among}`, (fresh, run) => fork(fresh, `f${run}`));
  await measure(store, `fsck ${among}`, (_, __, counted) => fsck(counted), exponent < 4 ? RUNS : 1);
}

async function measure(store, name, work, runs = RUNS) {
  let least = Number.POSITIVE_INFINITY;
  let counts;
  for (let run = 0; run < runs; run++) {
    const counted = withCounters(store);
    const begin = performance.now();
    const fresh = await openOcdbt(counted.store);
    await work(fresh, run, counted.store);
    least = Math.min(least, performance.now() - begin);
    ({ counts } = counted);
  }
  report(name, least, "ms");
  report(`${name}: reads`, counts.reads, "");
  report(`${name}: bytes read`, counts.bytesRead, "B");
  if (counts.writes > 0) report(`${name}: bytes written`, counts.bytesWritten, "B");
}
