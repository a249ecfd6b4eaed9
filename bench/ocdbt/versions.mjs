// Harness 3: the look-up of one version, by generation and by time, among 10^2 to 10^5, with a read of its value. Cold: by a database opened
// for it; warm: by one whose nodes are in memory.
import { join } from "node:path";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { makeVersions } from "./make-versions.mjs";
import { best, report } from "./measure.mjs";

export async function run(folder) {
  for (const exponent of [2, 3, 4, 5]) {
    const place = join(folder, "db");
    const samples = await makeVersions(place, 10 ** exponent);
    const specs = {
      generation: samples.map(({ generation }) => ({ generation: BigInt(generation) })),
      time: samples.map(({ time }) => ({ time })),
    };
    for (const [by, versions] of Object.entries(specs)) {
      const some = versions.slice(0, 20);
      const cold = async () => {
        for (const version of some) {
          const db = await openOcdbt(fileKvStore(place));
          await (await db.at(version)).read("key");
          await db.close();
        }
      };
      report(`version by ${by} among 10^${exponent}, cold`, await best(cold, some.length), "ms");
      const db = await openOcdbt(fileKvStore(place));
      const warm = async () => {
        for (const version of versions) await (await db.at(version)).read("key");
      };
      report(`version by ${by} among 10^${exponent}, warm`, await best(warm, versions.length), "ms");
      await db.close();
    }
  }
}
