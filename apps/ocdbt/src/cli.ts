/**
 * The command `pcg-ocdbt`. Exit codes: 0 done, 1 failed or absent, 2 wrong usage.
 * @module
 */
import { isKvStoreError } from "@pcg/kvstore";
import { isOcdbtError } from "@pcg/ocdbt";
import { Command, CommanderError } from "commander";
import { addCoordinatorCommand } from "./commands/coordinator.ts";
import { addDumpCommand } from "./commands/dump.ts";
import { addForkCommands } from "./commands/forks.ts";
import { addHistoryCommands } from "./commands/history.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addUpkeepCommands } from "./commands/upkeep.ts";
import { addValueCommands } from "./commands/values.ts";
import { UsageError } from "./errors.ts";
import type { Surroundings } from "./surroundings.ts";
import { VERSION } from "./version.ts";

export async function cli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { err, stop } = surroundings;
  const command = new Command("pcg-ocdbt")
    .description("Look into, edit, version and look after OCDBT databases.")
    .version(VERSION)
    // Options behind a command are the command's: `fork … --version v1`.
    .enablePositionalOptions()
    .showHelpAfterError("(--help tells how)")
    .exitOverride()
    .configureOutput({ writeOut: (text) => void surroundings.out(text), writeErr: err })
    .addHelpText(
      "after",
      `
A database is named by its folder, /data/seg or file:///data/seg/, or by a pipeline URL that may name a version and a
folder of keys in it: 'file:///data/seg/|ocdbt:@v12/8_8_40/', |ocdbt:@2026-04-24T00:00:00Z/, |ocdbt:@reviewed/ (a tag).
http(s):// and gs:// addresses can be read. TensorStore's JSON, {"driver": "ocdbt", "base": …}, is taken as well.

What was asked for is written to stdout; messages, such as the generation that a commit made, and progress to stderr; with
--json the result of a commit is on stdout, too. Exit codes: 0 done, 1 failed or absent, 2 wrong usage.`,
    );
  addValueCommands(command, surroundings);
  addHistoryCommands(command, surroundings);
  addForkCommands(command, surroundings);
  addUpkeepCommands(command, surroundings);
  addDumpCommand(command, surroundings);
  addServeCommand(command, surroundings);
  addCoordinatorCommand(command, surroundings);
  for (const sub of command.commands)
    sub.exitOverride().allowExcessArguments(false).showHelpAfterError("(--help tells how)");
  try {
    await command.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    // What is interrupted says so in many words; the reason is in one.
    const isInterruption = stop.aborted && error instanceof Error && error.name === "AbortError";
    err(`error: ${describe(isInterruption ? stop.reason : error)}\n`);
    return isUsage(error) ? 2 : 1;
  }
}

function isUsage(error: unknown): boolean {
  return (
    error instanceof UsageError || isOcdbtError(error, "bad-spec") || isKvStoreError(error, "bad-url", "unknown-driver")
  );
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const because = cause instanceof Error && !error.message.includes(cause.message) ? ` (${cause.message})` : "";
  return `${error.message}${because}`;
}
