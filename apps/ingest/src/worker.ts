/**
 * What each thread of the pool loads.
 * @module
 */
import { voxelTasks } from "@pcg/chunkedgraph/ingest";
import { openSource, openStore } from "./drivers.ts";

export const handlers = voxelTasks({ openVolume: openSource, openKvStore: openStore });
