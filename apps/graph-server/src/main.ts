#!/usr/bin/env node
/**
 * The command `pcg-graph-server`. Exit codes: 0 ended as asked, 1 failed, 2 wrong usage.
 * @module
 */
import { readFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { type Logger as Pino, pino } from "pino";
import { type Config, ConfigError, type ConfigInput, readConfig } from "./config.ts";
import { runServer } from "./run-server.ts";
import { SERVER_VERSION } from "./version.ts";

process.exitCode = await main(process.argv);

async function main(argv: readonly string[]): Promise<number> {
  try {
    await makeCommand().parseAsync(argv);
    return 0;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

function makeCommand(): Command {
  return new Command("pcg-graph-server")
    .description("Serve the proofreading graphs of a data folder to Neuroglancer, CAVEclient and cloud-volume.")
    .version(SERVER_VERSION)
    .option("--data <dir>", "data folder; each table is a folder in it")
    .option("--port <n>", "default: 8080; 0 takes any free one")
    .option("--host <name>", "address to listen on; default: 127.0.0.1, anything else needs a token")
    .option("--token <text>", "what clients have to send as Bearer token")
    .option("--user <name>", "name of edits made without a token of one's own; default: anonymous")
    .option("--public-url <url>", "address clients reach this server by")
    .option("--allow-origin <list>", "origins whose pages may edit without a token, separated by commas")
    .option("--config <file>", "settings in YAML; flags and PCG_* variables win over it")
    .option("--log-level <level>", "silent, error, info or debug; default: info")
    .exitOverride()
    .action(async (flags: Record<string, unknown>) => {
      const config = await settings(flags);
      await runServer(config, logger(config));
    });
}

async function settings({ config: file, ...flags }: Record<string, unknown>): Promise<Config> {
  const input: ConfigInput = { flags, env: process.env };
  if (typeof file !== "string") return readConfig(input);
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new ConfigError(`--config ${file}: ${cause.message}`, "config", { cause });
  });
  return readConfig({ ...input, file: { name: file, text } });
}

function logger({ logLevel }: Config): Pino {
  return pino({ level: logLevel }, pino.destination({ dest: 2, sync: false }));
}
