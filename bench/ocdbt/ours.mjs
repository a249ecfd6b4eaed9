// Reading and writing a database on the local disk, synced unless it says otherwise; the peer does the same with TensorStore,
// with the same configuration. PCG_BENCH_SIZE: how many versions there are to look one up among (10^4).
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { memoryKvStore } from "../../packages/kvstore/dist/index.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { countOrphans } from "./orphans.mjs";

const config = {
  maxInlineValueBytes: 100,
  maxDecodedNodeBytes: 65_536,
  versionTreeArityLog2: 4,
  compression: { id: "zstd", level: 0 },
};
const KEYS = 100_000;
const VERSIONS = Number(process.env.PCG_BENCH_SIZE ?? 10_000);
const text = new TextEncoder();
/** Keys in an order that is not theirs. */
const key = (i) => text.encode(`key/${String((i * 7919) % KEYS).padStart(8, "0")}`);
const results = {};
const report = (name, value, unit, better = "lower") => {
  results[name] = { value, unit, better };
};
const ms = async (work, times = 1) => {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / times;
};

const folder = mkdtempSync(join(tmpdir(), "pcg-bench-"));
const place = join(folder, "db");
const open = (options = {}) => openOcdbt(fileKvStore(place, options), { config });
try {
  await batchAndReads();
  await commits();
  await versions();
  for (const writers of [1, 4, 16]) await manyWriters(writers);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(JSON.stringify(results));

async function batchAndReads() {
  let db = await open();
  const value = Uint8Array.from({ length: 512 }, (_, i) => i * 37);
  const mutations = Array.from({ length: KEYS }, (_, i) => ({ op: "put", key: key(i), value }));
  report("batch put of 10^5 x 512 B", await ms(() => db.apply(mutations)), "ms");
  await db.apply(Array.from({ length: 2000 }, (_, i) => ({ op: "put", key: key(i * 50), value: text.encode(`${i}`) })));

  const pinned = await db.at({ ancestor: 0 });
  const serial = (store, times, pick) => async () => {
    for (let i = 0; i < times; i++) await store.read(key(pick(i)));
  };
  for await (const _ of db.list()); // warm: every node is in memory
  await serial(pinned, 2000, (i) => i * 13)();
  report(
    "warm read of 512 B, pinned",
    (await ms(
      serial(pinned, 10_000, (i) => i * 13 + 1),
      10_000,
    )) * 1000,
    "us",
  );
  report(
    "warm read inline, pinned",
    (await ms(
      serial(pinned, 10_000, (i) => (i % 2000) * 50),
      10_000,
    )) * 1000,
    "us",
  );
  report(
    "warm read of 512 B, newest",
    (await ms(
      serial(db, 4000, (i) => i * 13 + 1),
      4000,
    )) * 1000,
    "us",
  );
  const parallel = () => Promise.all(Array.from({ length: 2000 }, (_, i) => db.read(key(i * 17))));
  report("warm read of 512 B, 2000 at once", (await ms(parallel, 2000)) * 1000, "us");
  report("list of 10^5 keys, warm", await ms(() => count(db.list())), "ms");
  const lists = async () => {
    for (let i = 10; i < 30; i++) await count(db.list({ prefix: `key/000${i}` }));
  };
  report("list of 1000 keys by prefix", await ms(lists, 20), "ms");
  await db.close();

  const times = 50;
  const cold = async () => {
    for (let i = 0; i < times; i++) {
      db = await open();
      await db.read(key(i * 101 + 7));
      await db.close();
    }
  };
  await cold();
  report("open and read one key, cold", await ms(cold, times), "ms");
}

async function commits() {
  const edit = async (db, times) => {
    for (let i = 0; i < times; i++) await db.write(key(i * 31), text.encode(`small ${i}`));
  };
  let db = await open();
  await edit(db, 20);
  const before = dataBytes();
  const times = 160;
  let manifests = 0;
  const stop = db.parts.onCommit(() => {
    manifests += statSync(join(place, "manifest.ocdbt")).size;
  });
  report("one-key commit, synced", await ms(() => edit(db, times), times), "ms");
  stop();
  report("bytes per one-key commit", (dataBytes() - before + manifests) / times, "B");
  await db.close();
  db = await open({ fsync: false });
  await edit(db, 20);
  report("one-key commit, not synced", await ms(() => edit(db, 500), 500), "ms");
  await db.close();
}

async function versions() {
  const store = memoryKvStore();
  const db = await openOcdbt(store, { config });
  for (let i = 0; i < VERSIONS; i++) await db.write("key", text.encode(`${i}`));
  const times = 200;
  const lookUp = async () => {
    for (let i = 0; i < times; i++) {
      // Nothing is kept, so that each look-up reads what it needs.
      const fresh = await openOcdbt(store, { cacheBytes: 0 });
      const view = await fresh.at({ generation: BigInt(1 + ((i * 7919) % VERSIONS)) });
      await view.read("key");
    }
  };
  await lookUp();
  report("look-up of a version, cold, in memory", await ms(lookUp, times), "ms");
}

async function manyWriters(writers) {
  const target = join(folder, `writers-${writers}`);
  const rounds = 16;
  const children = Array.from({ length: writers }, (_, i) =>
    spawn(process.execPath, [fileURLToPath(new URL("writer.mjs", import.meta.url)), target, `w${i}`, String(rounds)], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  const lines = children.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]());
  await Promise.all(lines.map((line) => line.next()));
  for (const child of children) child.stdin.end("go\n");
  const ends = await Promise.all(lines.map(async (line) => JSON.parse((await line.next()).value)));
  const seconds = (Math.max(...ends.map(({ end }) => end)) - Math.min(...ends.map(({ begin }) => begin))) / 1000;
  const { files, bytes } = await countOrphans(target);
  report(`${writers} writers, commits`, (writers * rounds) / seconds, "1/s", "higher");
  report(`${writers} writers, orphan files`, files, "files");
  report(`${writers} writers, orphan bytes`, bytes, "B");
}

function dataBytes() {
  return readdirSync(join(place, "d")).reduce((sum, name) => sum + statSync(join(place, "d", name)).size, 0);
}

async function count(list) {
  let entries = 0;
  for await (const _ of list) entries++;
  return entries;
}
