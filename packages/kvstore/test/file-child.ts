/** What the processes of the file tests run: `node child.mjs <mode> <folder> <arguments…>`. It prints a line per event. */

import { rmSync } from "node:fs";
import { lockfileLocking } from "../src/file/lock/lockfile.ts";
import { osLocking } from "../src/file/lock/os.ts";
import { fileKvStore } from "../src/file.ts";
import { keyBytes } from "../src/keys.ts";

const [mode, folder, first, second] = process.argv.slice(2) as [string, string, string, string];
const say = (line: string) => new Promise<void>((resolve) => process.stdout.write(`${line}\n`, () => resolve()));

if (mode === "increment") {
  const store = fileKvStore(folder, { fsync: second === "fsync", locking: second === "lockfile" ? "lockfile" : "os" });
  for (let i = 0; i < Number(first); ) {
    const found = await store.read("deep/counter");
    const next = found === undefined ? 1 : Number(Buffer.from(found.value).toString()) + 1;
    const ifGeneration = found?.generation ?? null;
    if ((await store.write("deep/counter", keyBytes(String(next)), { ifGeneration })).written) i++;
  }
} else if (mode === "write") {
  // Values of one repeated byte, of a length that belongs to it.
  const store = fileKvStore(folder);
  await say("started");
  for (let i = Number(first); ; i++) {
    await store.write(`key/${i % 3}`, new Uint8Array(100_000 + (i % 251)).fill(i % 251));
    await say(`${i}`);
  }
} else if (mode === "hold") {
  const lock = await (second === "lockfile" ? lockfileLocking : osLocking).acquire(Buffer.from(first), undefined);
  await say("held");
  // Refers to the lock, whose file would otherwise be closed by the garbage collector.
  setInterval(() => lock, 1000);
} else if (mode === "steal") {
  await say("started");
  for (;;) rmSync(first, { force: true });
} else if (mode === "many") {
  const store = fileKvStore(folder, { fsync: second === "fsync" });
  for (let i = 0; i < Number(first); i++) await store.write(`${i}`, Uint8Array.of(i));
  for (let i = 0; i < Number(first); i++) await store.read(`${i}`);
  await store.write("new", keyBytes("while others stay open"));
  for await (const _ of store.list());
  const reads = Array.from({ length: Number(first) }, (_, i) => store.read(`${i}`));
  const found = await Promise.all([store.read("absent"), ...reads]);
  await say(`${found.filter((result, i) => result?.value[0] === ((i - 1) & 255)).length}`);
} else if (mode === "churn") {
  // Writes a key of its own in a folder that others keep emptying, and checks that an acknowledged write is there.
  const store = fileKvStore(folder, { fsync: false });
  for (let i = 0; i < Number(first); i++) {
    const key = `shared/${second}/${i % 2}`;
    const written = await store.write(key, keyBytes(`${i}`));
    const found = await store.read(key);
    if (found?.generation !== written.generation)
      throw new Error(`${key}: wrote ${written.generation}, found ${found?.generation}`);
    await store.write(key, null);
    await store.deleteRange({ start: keyBytes(`shared/${second}/`), end: keyBytes(`shared/${second}0`) });
  }
}
