/**
 * Our side of the multicut interop tests: reads one JSON command per line, answers one JSON line each. Ids travel as
 * strings, affinities as numbers or "inf".
 *
 *   {"op":"cut","edges":[…],"affinities":[…],"groups":[[…],…],"options":{…}}   multicut
 *   {"op":"fixture","folder":…,"options":{…}}                                  multicut of a folder's sv_*.npy
 */
import { readFileSync } from "node:fs";
import { multicut } from "../../packages/multicut/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

await answerLines({
  cut({ edges, affinities, groups, options }) {
    return plain(
      multicut({
        edges: BigUint64Array.from(edges, BigInt),
        affinities: Float64Array.from(affinities, (w) => (w === "inf" ? Infinity : w)),
        groups: groups.map((group) => BigUint64Array.from(group, BigInt)),
        ...options,
      }),
    );
  },

  fixture({ folder, options }) {
    const [edges, affinity, sources, sinks] = ["edges", "affinity", "sources", "sinks"].map((name) => {
      const bytes = readFileSync(`${folder}/sv_${name}.npy`);
      return Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer;
    });
    return plain(
      multicut({
        edges: new BigUint64Array(edges),
        affinities: new Float64Array(affinity),
        groups: [new BigUint64Array(sources), new BigUint64Array(sinks)],
        ...options,
      }),
    );
  },
});

/** A result with ids as strings and arrays as lists. */
function plain(value) {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value, plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
  }
  return value;
}
