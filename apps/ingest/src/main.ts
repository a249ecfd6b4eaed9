/**
 * The command `pcg-ingest`. Exit codes: 0 done, 1 failed (or interrupted), 2 wrong usage.
 * @module
 */
import { isTaskError } from "@pcg/tasks";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { UsageError } from "./errors.ts";
import { reportProgress } from "./progress.ts";
import { reportText } from "./report-text.ts";
import { type RunIngestOptions, runIngest } from "./run-ingest.ts";

interface Flags {
  readonly volume: string;
  readonly data: string;
  readonly table: string;
  readonly scale?: string;
  readonly chunkSize?: [number, number, number];
  readonly connectivity?: 6 | 26;
  readonly splitDisconnected?: true;
  readonly resume?: true;
  readonly parallel?: number;
  readonly memory?: number;
  readonly labelsCsv?: string;
  readonly json?: true;
}

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = makeCommand();
    await command.parseAsync(argv);
    return await run(command.opts<Flags>());
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${describe(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function makeCommand(): Command {
  return new Command("pcg-ingest")
    .description("Turn a segmentation into a proofreadable graph.")
    .requiredOption(
      "--volume <url>",
      "the segmentation: a folder, or a URL such as file:///seg/|neuroglancer-precomputed:",
    )
    .requiredOption("--data <dir>", "data folder; the table becomes a folder in it")
    .option("--table <name>", "name of the table", "graph")
    .option("--scale <key>", "scale of the volume; default: the finest")
    .option("--chunk-size <x,y,z>", "voxels per graph chunk; default: chosen from the volume, see the report", parseXyz)
    .option("--connectivity <6|26>", "voxels of one label that make one supervoxel; default: 26", parseConnectivity)
    .option("--split-disconnected", "make each piece of a label an object of its own")
    .option("--resume", "go on with an ingest that was not finished")
    .option("--parallel <n>", "threads; default: one per processor", parseCount)
    .option("--memory <bytes>", "memory for tasks, e.g. 512M; default: 1G", parseBytes)
    .option("--labels-csv <file>", "write the table of labels and their objects")
    .option("--json", "print the report as JSON")
    .exitOverride();
}

async function run(flags: Flags): Promise<number> {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void =>
    stop.abort(new Error(`interrupted by ${signal}; --resume goes on`));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const progress = reportProgress();
  try {
    const { parallel, memory, json: _, ...rest } = flags;
    const options: RunIngestOptions = {
      ...rest,
      ...(parallel === undefined ? {} : { parallelism: parallel }),
      ...(memory === undefined ? {} : { memoryBytes: memory }),
      onProgress: progress.onProgress,
      signal: stop.signal,
    };
    const report = await runIngest(options);
    progress.stop();
    process.stdout.write(`${flags.json ? JSON.stringify(report) : reportText(report)}\n`);
    return 0;
  } finally {
    progress.stop();
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function describe(error: unknown): string {
  if (isTaskError(error, "too-large"))
    return `${error.message}; raise --memory, or begin again with a smaller --chunk-size`;
  return error instanceof Error ? error.message : String(error);
}

function parseXyz(text: string): [number, number, number] {
  if (!/^[1-9]\d{0,8},[1-9]\d{0,8},[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError("expected three whole numbers from 1 up, like 128,128,64");
  }
  return text.split(",").map(Number) as [number, number, number];
}

function parseConnectivity(text: string): 6 | 26 {
  if (text === "6") return 6;
  if (text === "26") return 26;
  throw new InvalidArgumentError("expected 6 or 26");
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 to 999");
  return Number(text);
}

function parseBytes(text: string): number {
  const match = /^([1-9]\d{0,14})([kMGT]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("expected bytes, like 2000000000, 512M or 2G");
  return Number(match[1]) * 1024 ** ["", "k", "M", "G", "T"].indexOf(match[2]!);
}
