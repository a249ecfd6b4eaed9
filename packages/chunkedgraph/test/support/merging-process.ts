/**
 * A process that merges random pairs in the graph of the folder argv[2] until it is killed or has merged argv[4] times,
 * with random seed argv[3]; says every merge that was acknowledged to it, at once.
 * @module
 */
import { writeSync } from "node:fs";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import { Random } from "@pcg/testkit";
import { isGraphError } from "../../src/errors.ts";
import { openGraph } from "../../src/graph.ts";
import { positionIn } from "./build-graph.ts";
import { gridGraph } from "./grid-graph.ts";

const [, , folder, seed, most] = process.argv as [string, string, string, string, string];
const random = new Random(Number(seed));
const graph = await openGraph({ rows: await openLmdbRowStore(folder) });
const { supervoxels } = gridGraph();
writeSync(1, "ready\n");
for (let merges = 0; merges < Number(most); ) {
  const pair = [random.pick(supervoxels), random.pick(supervoxels)];
  const [a, b] = pair.map((id) => ({ id, position: positionIn(graph.settings, id) }));
  try {
    const { operationId, time } = await graph.merge({ user: seed, picks: [a!, b!], maxChunkDistance: 9 });
    writeSync(1, `${operationId} ${time} ${a!.id} ${b!.id}\n`);
    merges++;
  } catch (error) {
    if (!isGraphError(error, "same-object", "same-supervoxel")) throw error;
  }
}
process.exit(0);
