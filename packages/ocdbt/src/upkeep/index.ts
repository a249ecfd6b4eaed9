/**
 * Keeping a database small and sound.
 * @module
 */
export { type CompactOptions, type CompactResult, compact } from "./compact.ts";
export { type ExpireOptions, type ExpirePolicy, type ExpireResult, expire, type HeldVersion } from "./expire.ts";
export type { FamilyOptions } from "./family.ts";
export type { Finding, FindingCode, Severity } from "./findings.ts";
export { type FsckOptions, type FsckReport, fsck } from "./fsck.ts";
export type { FoundFile } from "./own-files.ts";
export type { UpkeepOptions, UpkeepProgress } from "./progress.ts";
export { type RebuildOptions, type RebuildResult, rebuild } from "./rebuild.ts";
export { type RepairAction, type RepairChoices, type RepairOptions, type RepairResult, repair } from "./repair.ts";
export { type SweepOptions, type SweepResult, sweep } from "./sweep.ts";
