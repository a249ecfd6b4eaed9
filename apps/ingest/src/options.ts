/**
 * The options of an ingest on the command line, for every command that ingests.
 * @module
 */
import { isTaskError } from "@pcg/tasks";
import { type Command, InvalidArgumentError } from "commander";
import { parseBytes, parseCount, parseXyz } from "./option-values.ts";
import type { RunIngestOptions } from "./run-ingest.ts";

/** What commander makes of the options. */
export interface IngestFlags {
  readonly scale?: string;
  readonly chunkSize?: [number, number, number];
  readonly connectivity?: 6 | 26;
  readonly splitDisconnected?: true;
  readonly parallel?: number;
  readonly memory?: number;
}

/** Adds the options to a command. */
export function addIngestOptions(command: Command): Command {
  return command
    .option("--scale <key>", "scale of the volume; default: the finest")
    .option("--chunk-size <x,y,z>", "voxels per graph chunk; default: chosen from the volume", parseXyz)
    .option("--connectivity <6|26>", "voxels of one label that make one supervoxel; default: 26", parseConnectivity)
    .option("--split-disconnected", "make each piece of a label an object of its own")
    .option("--parallel <n>", "threads of the ingest; default: one per processor", parseCount)
    .option("--memory <bytes>", "memory for tasks of the ingest, e.g. 512M; default: 1G", parseBytes);
}

/** What the options mean to {@link runIngest}. */
export function ingestOptions(flags: IngestFlags): Omit<RunIngestOptions, "volume" | "data" | "table"> {
  const { scale, chunkSize, connectivity, splitDisconnected, parallel, memory } = flags;
  return {
    ...(scale === undefined ? {} : { scale }),
    ...(chunkSize === undefined ? {} : { chunkSize }),
    ...(connectivity === undefined ? {} : { connectivity }),
    ...(splitDisconnected === undefined ? {} : { splitDisconnected }),
    ...(parallel === undefined ? {} : { parallelism: parallel }),
    ...(memory === undefined ? {} : { memoryBytes: memory }),
  };
}

/** The message of a failure, with the option that helps where there is one. */
export function describeFailure(error: unknown): string {
  if (isTaskError(error, "too-large"))
    return `${error.message}; raise --memory, or begin again with a smaller --chunk-size`;
  return error instanceof Error ? error.message : String(error);
}

function parseConnectivity(text: string): 6 | 26 {
  if (text === "6") return 6;
  if (text === "26") return 26;
  throw new InvalidArgumentError("expected 6 or 26");
}
