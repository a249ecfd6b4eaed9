/**
 * Our side of the voxel kernel tests: reads one JSON command per line, answers one JSON line each. Voxels travel in files, x
 * fastest, little-endian.
 *
 *   {"op":"distance","mask":file,"size":[…],"voxelSize":[…],"out":file}
 *   {"op":"geodesic","mask":file,"costs":file|null,"size":[…],"voxelSize":[…],"seeds":[voxel …],"out":file}
 *   {"op":"cut","states":file,"evidence":file|null,"size":[…],"weights":[13 numbers],"out":file}   answers the flow
 *   {"op":"split","mask":file,"size":[…],"voxelSize":[…],"seeds":[[[x,y,z] …] …],"method":…,"out":file}
 */
import { readFile, writeFile } from "node:fs/promises";
import { distanceTransform } from "../../packages/kernels/dist/distance-transform.js";
import { geodesicDistances } from "../../packages/kernels/dist/geodesic.js";
import { gridCut } from "../../packages/kernels/dist/grid-cut.js";
import { splitVoxels } from "../../packages/multicut/dist/voxel/index.js";
import { answerLines } from "../answer-lines.mjs";

const bytes = async (file) => new Uint8Array(await readFile(file));
const floats = async (file) => new Float32Array((await bytes(file)).buffer);

const operations = {
  async distance({ mask, size, voxelSize, out }) {
    await writeFile(out, distanceTransform(await bytes(mask), size, voxelSize));
  },

  async geodesic({ mask, costs, size, voxelSize, seeds, out }) {
    const options = { voxelSize, seeds: Uint32Array.from(seeds), ...(costs && { costs: await floats(costs) }) };
    await writeFile(out, geodesicDistances(await bytes(mask), size, options));
  },

  async cut({ states, evidence, size, weights, out }) {
    const graph = { states: await bytes(states), size, weights: Uint16Array.from(weights) };
    const { sides, flow } = gridCut({ ...graph, ...(evidence && { evidence: await bytes(evidence) }) });
    await writeFile(out, sides);
    return { flow };
  },

  async split({ mask, size, voxelSize, seeds, method, out }) {
    const { sides, voxels } = await splitVoxels({ mask: await bytes(mask), size, voxelSize, seeds, method });
    await writeFile(out, sides);
    return { voxels };
  },
};

await answerLines(operations);
