/**
 * The command `pcg-proofreader`, and what `npm start` runs. Exit codes: 0 ended as asked, 1 failed, 2 wrong usage.
 * @module
 */
import { ConfigError, readConfig } from "@pcg/graph-server";
import {
  addIngestOptions,
  describeFailure,
  type IngestFlags,
  ingestOptions,
  reportProgress,
  stopSignal,
  UsageError,
} from "@pcg/ingest";
import { Command, CommanderError } from "commander";
import { pino } from "pino";
import { openBrowser } from "./open-browser.ts";
import { type ProofreaderOptions, startProofreader } from "./proofreader.ts";
import { VERSION } from "./version.ts";

interface Flags extends IngestFlags {
  readonly volume?: string;
  readonly table?: string;
  readonly data: string;
  readonly image?: string;
  readonly port?: string;
  readonly host?: string;
  readonly token?: string;
  readonly user?: string;
  readonly publicUrl?: string;
  readonly browser: boolean;
  readonly logLevel?: string;
}

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  const stop = stopSignal("the next start goes on from here");
  try {
    const command = makeCommand();
    await command.parseAsync(argv);
    await run(command.opts<Flags>(), stop);
    return 0;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${describeFailure(error)}\n`);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

function makeCommand(): Command {
  const command = new Command("pcg-proofreader")
    .description(
      "Ingest a segmentation, serve it, and open a page to proofread it.\n" +
        "Without --volume it makes a piece of tutorial tissue with planted mistakes.",
    )
    .version(VERSION)
    .option("--volume <url>", "the segmentation: a folder, or a URL of a precomputed, zarr or OME-NGFF volume")
    .option("--table <name>", 'name of the graph; default: "tutorial", or "segmentation" with --volume')
    .option("--data <dir>", "folder for everything that is made; a second start on it serves at once", ".data")
    .option("--image <url>", "image to show underneath (precomputed)")
    .option("--port <n>", "default: 8080; 0 takes any free one")
    .option("--host <name>", "address to listen on; default: 127.0.0.1, anything else needs a token")
    .option(
      "--token <text>",
      "what clients have to send as Bearer token: 8 characters or more, hexadecimal to suit cloud-volume",
    )
    .option("--user <name>", "name of edits made without a token of one's own; default: anonymous")
    .option("--public-url <url>", "address people reach this server by")
    .option("--no-browser", "do not open the page");
  return addIngestOptions(command)
    .option("--log-level <level>", "silent, error, info or debug; default: error")
    .allowExcessArguments(false)
    .exitOverride();
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const { data, port, host, token, user, publicUrl, logLevel = "error" } = flags;
  const config = readConfig({ flags: { data, port, host, token, user, publicUrl, logLevel }, env: process.env });
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: false }));
  const progress = reportProgress();
  const { volume, image } = flags;
  const options: ProofreaderOptions = {
    table: flags.table ?? (volume === undefined ? "tutorial" : "segmentation"),
    ...(volume === undefined ? {} : { volume }),
    ...(image === undefined ? {} : { image }),
    ...ingestOptions(flags),
    onProgress: progress.onProgress,
    signal,
  };
  const server = await startProofreader(config, options, logger).finally(progress.stop);
  process.stdout.write(`ready ${server.url}\n`);
  if (flags.browser && process.stdout.isTTY) openBrowser(server.url);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  await server.close();
}
