/**
 * The command `pcg-ingest`. Exit codes: 0 done, 1 failed (or interrupted), 2 wrong usage.
 * @module
 */
import { Command, CommanderError } from "commander";
import { UsageError } from "./errors.ts";
import { addIngestOptions, describeFailure, type IngestFlags, ingestOptions } from "./options.ts";
import { reportProgress } from "./progress.ts";
import { reportText } from "./report-text.ts";
import { runIngest } from "./run-ingest.ts";
import { stopSignal } from "./stop-signal.ts";
import { VERSION } from "./version.ts";

interface Flags extends IngestFlags {
  readonly volume: string;
  readonly data: string;
  readonly table: string;
  readonly resume?: true;
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
    process.stderr.write(`error: ${describeFailure(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function makeCommand(): Command {
  const command = new Command("pcg-ingest")
    .description("Turn a segmentation into a proofreadable graph.")
    .version(VERSION)
    .requiredOption(
      "--volume <url>",
      "the segmentation: a folder, or a URL such as file:///seg/|neuroglancer-precomputed:",
    )
    .requiredOption("--data <dir>", "data folder; the table becomes a folder in it")
    .option("--table <name>", "name of the table", "graph");
  return addIngestOptions(command)
    .option("--resume", "go on with an ingest that was not finished")
    .option("--labels-csv <file>", "write the table of labels and their objects")
    .option("--json", "print the report as JSON")
    .exitOverride();
}

async function run(flags: Flags): Promise<number> {
  const { volume, data, table, resume, labelsCsv } = flags;
  const progress = reportProgress();
  try {
    const report = await runIngest({
      volume,
      data,
      table,
      ...ingestOptions(flags),
      ...(resume === undefined ? {} : { resume }),
      ...(labelsCsv === undefined ? {} : { labelsCsv }),
      onProgress: progress.onProgress,
      signal: stopSignal("--resume goes on"),
    });
    progress.stop();
    process.stdout.write(`${flags.json ? JSON.stringify(report) : reportText(report)}\n`);
    return 0;
  } finally {
    progress.stop();
  }
}
