/**
 * The command line of the server. Exit codes: 0 ended as asked, 1 failed, 2 wrong usage.
 * @module
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Command, CommanderError } from "commander";
import { type Logger as Pino, pino } from "pino";
import { checkTables } from "./check-tables.ts";
import { type Config, ConfigError, type ConfigInput, readConfig } from "./config.ts";
import { addExportCommand } from "./export-command.ts";
import { runServer } from "./run-server.ts";
import type { Surroundings } from "./surroundings.ts";
import { SERVER_VERSION } from "./version.ts";

/** Runs the command. @param args without the program's name. @returns the exit code */
export async function cli(args: readonly string[], surroundings: Surroundings): Promise<0 | 1 | 2> {
  let sound = true;
  const command = makeCommand(surroundings, (result) => {
    sound = result;
  });
  try {
    await command.parseAsync(args, { from: "user" });
    return sound ? 0 : 1;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    surroundings.err(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof ConfigError ? 2 : 1;
  }
}

function makeCommand(surroundings: Surroundings, onChecked: (sound: boolean) => void): Command {
  const { out, err, env, stop } = surroundings;
  const serving = new Command("pcg-graph-server")
    .description("Serve the proofreading graphs of a data folder to Neuroglancer, CAVEclient and cloud-volume.")
    .version(SERVER_VERSION)
    .option("--data <dir>", "data folder; each table is a folder in it")
    .option("--port <n>", "default: 8080; 0 takes any free one")
    .option("--host <name>", "address to listen on; default: 127.0.0.1, anything else needs a token")
    .option(
      "--token <text>",
      "what clients have to send as Bearer token: 8 characters or more, hexadecimal to suit cloud-volume",
    )
    .option("--user <name>", "name of edits made without a token of one's own; default: anonymous")
    .option("--public-url <url>", "address clients reach this server by")
    .option("--allow-origin <list>", "origins whose pages may edit without a token, separated by commas")
    .option("--config <file>", "settings in YAML; flags and PCG_* variables win over it")
    .option("--log-level <level>", "silent, error, info or debug; default: info")
    .enablePositionalOptions()
    .allowExcessArguments(false)
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride()
    .action(async (flags: Record<string, unknown>) => {
      const config = await settings(flags, env);
      await runServer(config, { logger: logger(config), stop, onReady: (url) => out(`ready ${url}\n`) });
    });
  serving
    .command("check")
    .description("check the invariants of the graphs while no server edits them; exit 1 when one is broken")
    .option("--data <dir>", "data folder")
    .option("--table <name>", "only this one")
    .option("--config <file>", "settings in YAML")
    .option("--json", "one JSON document per table")
    .allowExcessArguments(false)
    .action(async ({ table, json, ...flags }: Record<string, unknown> & { table?: string; json?: true }) => {
      const { data } = await settings(flags, env);
      const print = (line: string): void => out(`${line}\n`);
      onChecked(await checkTables(data, { table, json: json ?? false, signal: stop, print }));
    });
  addExportCommand(serving, (flags) => settings(flags, env), surroundings);
  return serving;
}

async function settings({ config: file, ...flags }: Record<string, unknown>, env: ConfigInput["env"]): Promise<Config> {
  const config = readConfig({ flags, env, ...(typeof file === "string" && { file: await configFile(file) }) });
  if (!existsSync(config.data)) throw new ConfigError(`--data ${config.data}: there is no such folder`, "data");
  return config;
}

async function configFile(name: string): Promise<{ name: string; text: string }> {
  try {
    return { name, text: await readFile(name, "utf8") };
  } catch (cause) {
    throw new ConfigError(`--config ${name}: ${(cause as Error).message}`, "config", { cause });
  }
}

function logger({ logLevel }: Config): Pino {
  return pino({ level: logLevel }, pino.destination({ dest: 2, sync: false }));
}
