/**
 * `node writer.mjs <spec> <writer> <first> <count>`: writes what writer.py writes, through the spec's coordinator when it
 * names one. Prints the number of each round that was acknowledged.
 */
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { openKvStoreSpec } from "../../packages/kvstore/dist/index.js";
import { httpTransport } from "../../packages/ocdbt/dist/coordinator-http.js";
import { coordinatedCommitter, ocdbtDriver } from "../../packages/ocdbt/dist/index.js";

const [spec, writer, first, count] = process.argv.slice(2);
const text = (value) => new TextEncoder().encode(value);
const coordinated = (address) => coordinatedCommitter({ connect: () => httpTransport(address) });
const store = await openKvStoreSpec(JSON.parse(spec), { ...fileDriver(), ...ocdbtDriver({ coordinated }) });
for (let i = Number(first); i < Number(first) + Number(count); i++) {
  await store.write(`${writer}/${i}`, text(`${i} `.repeat((i % 4) * 50)));
  await store.write(`${writer}/last`, text(`${i}`));
  for (let isDone = false; !isDone; ) {
    const found = await store.read("counts");
    const counts = found === undefined ? {} : JSON.parse(new TextDecoder().decode(found.value));
    counts[writer] = (counts[writer] ?? 0) + 1;
    const sent = text(JSON.stringify(counts));
    isDone = (await store.write("counts", sent, { ifGeneration: found?.generation ?? null })).written;
  }
  await new Promise((resolve) => process.stdout.write(`${i}\n`, resolve));
}
await store.close();
