/**
 * What each thread of an export loads.
 * @module
 */
import { exportTasks } from "@pcg/chunkedgraph/export";
import { openStore } from "./drivers.ts";

export const handlers = exportTasks({ openKvStore: openStore });
