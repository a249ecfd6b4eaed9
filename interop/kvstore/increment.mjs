/**
 * Counts in a value that others count in too: `node increment.mjs <spec> <key> <name> <times>`. The value is a JSON object of counts by
 * name; each step is a read and a conditional write. Prints the own count after each that succeeded.
 */
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStoreSpec } from "../../packages/kvstore/dist/index.js";

const [spec, key, name, times] = process.argv.slice(2);
const store = await openKvStoreSpec(JSON.parse(spec), fileDriver());
for (let done = 0; done < Number(times); ) {
  const found = await store.read(key);
  const counts = found === undefined ? {} : JSON.parse(new TextDecoder().decode(found.value));
  counts[name] = (counts[name] ?? 0) + 1;
  const value = new TextEncoder().encode(JSON.stringify(counts));
  const { written } = await store.write(key, value, { ifGeneration: found?.generation ?? null });
  if (!written) continue;
  done++;
  await new Promise((resolve) => process.stdout.write(`${counts[name]}\n`, resolve));
}
