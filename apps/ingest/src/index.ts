/**
 * Ingest as a function: what the command `pcg-ingest` does, for programs that serve the result.
 * @module
 */
export { UsageError } from "./errors.ts";
export { type TableFolder, tableFolder } from "./folder.ts";
export { addIngestOptions, describeFailure, type IngestFlags, ingestOptions } from "./options.ts";
export { reportProgress } from "./progress.ts";
export { checkNewIngest, type RunIngestOptions, type RunIngestReport, runIngest } from "./run-ingest.ts";
export { stopSignal } from "./stop-signal.ts";
