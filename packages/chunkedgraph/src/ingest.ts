/**
 * Making a graph from a segmentation.
 * @module
 */
export { defaultChunkSize } from "./ingest/chunk-size.ts";
export { finishedIngest } from "./ingest/finished.ts";
export { checkIngest } from "./ingest/new-graph.ts";
export type { IngestChoices } from "./ingest/plan.ts";
export type { IngestCounts, IngestReport } from "./ingest/report.ts";
export { type IngestOptions, ingest } from "./ingest/run.ts";
export { type VoxelTaskIo, voxelTasks } from "./ingest/voxel-tasks.ts";
