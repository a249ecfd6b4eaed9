/**
 * Writing the proofread segmentation: each voxel the root of its supervoxel, at one time, as a volume of any format.
 * @module
 */
export { type ExportTaskIo, exportTasks } from "./export/export-task.ts";
export type { ExportReport } from "./export/report.ts";
export { type ExportOptions, exportObjects } from "./export/run.ts";
