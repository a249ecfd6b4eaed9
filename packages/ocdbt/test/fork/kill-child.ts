/** Forks, writes, merges, restores, over and over, and tells each round that is done. Arguments: folder, first round. */
import { fileKvStore } from "@pcg/kvstore/file";
import { createTag, fork, isOcdbtError, merge, openFork, openOcdbt, restoreKeys } from "../../src/index.ts";

const [folder, first] = process.argv.slice(2) as [string, string];
const bytes = (text: string) => new TextEncoder().encode(text);
const store = fileKvStore(folder);
const base = await openOcdbt(store);

for (let round = Number(first); ; round++) {
  const id = `f${round}`;
  // The one before may have come this far.
  await fork(base, id).catch((error: unknown) => {
    if (!isOcdbtError(error, "already-exists")) throw error;
  });
  const own = await openFork(store, id);
  await own.apply([
    { op: "put", key: bytes("last"), value: bytes(String(round)) },
    { op: "put", key: bytes(`rounds/${round}`), value: bytes(`${round} `.repeat(600)) },
  ]);
  await own.close();
  await merge(base, id, { onConflict: "theirs", message: `round ${round}` });
  await createTag(base, `r${round}`, undefined, { force: true });
  await restoreKeys(base, { tag: `r${round}` }, { prefix: "rounds/" });
  process.stdout.write(`${round}\n`);
}
