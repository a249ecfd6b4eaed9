/**
 * The commands about forks: fork, merge.
 * @module
 */
import { printKey } from "@pcg/kvstore";
import { dropFork, fork, listForks, type MergeResult, merge, publishedSpec, updateFork } from "@pcg/ocdbt";
import { type Command, Option } from "commander";
import {
  counted,
  jsonLine,
  type MessageFlags,
  messageOf,
  messageOptions,
  withDatabase,
  withWhole,
} from "../context.ts";
import { UsageError } from "../errors.ts";
import { jsonKey } from "../keys.ts";
import type { OpenFlags } from "../open.ts";
import { openFolder, parseConfig } from "../open.ts";
import type { Surroundings } from "../surroundings.ts";
import { parseVersion, VERSION_HELP } from "../versions.ts";

interface Flags extends OpenFlags, MessageFlags {
  readonly json?: true;
  readonly folder?: string;
}

export function addForkCommands(parent: Command, surroundings: Surroundings): void {
  const { out, err, stop: signal } = surroundings;
  const folderOf = async ({ folder }: Flags): Promise<{ folder?: Awaited<ReturnType<typeof openFolder>> }> =>
    folder === undefined ? {} : { folder: await openFolder(folder, signal) };
  const folderOption = (command: Command): Command =>
    command
      .option("--folder <url>", "the fork's folder, when it is not to be inside of its base")
      .option("--json", "as JSON");

  folderOption(parent.command("fork <url> [id]"))
    .description("make a fork: a database of its own over this one; without an id, list the forks")
    .option("--version <version>", "where it begins: head, or the version the URL names, unless told")
    .option("--config <json>", 'of its own, e.g. {"max_inline_value_bytes": 1024}')
    .option("--spec", "print the JSON by which TensorStore opens the fork, which exists")
    .option("--drop", "remove the fork and what it wrote")
    .addHelpText("after", `\n${VERSION_HELP}\nOther commands reach the fork by --fork <id>.`)
    .action((url: string, id: string | undefined, flags: ForkFlags) =>
      withDatabase(url, { direct: true }, surroundings, async ({ db, version }) => {
        if (version !== undefined && flags.version !== undefined)
          throw new UsageError("the URL names a version already");
        if (flags.spec && flags.drop) throw new UsageError("--spec or --drop, not both");
        if (id === undefined) {
          if (flags.spec || flags.drop) throw new UsageError("give the id of the fork");
          for await (const { id: name, state, registration, error } of listForks(db.parts.store, { signal })) {
            const at = registration?.base.generation;
            if (flags.json) await out(jsonLine({ id: name, state, ...(at !== undefined && { base: at }) }));
            else await out(`${name}  ${state}${at === undefined ? "" : `  from v${at}`}\n`);
            if (error !== undefined) err(`${name}: ${error.message}\n`);
          }
          return;
        }
        const folder = await folderOf(flags);
        if (flags.spec) {
          await out(`${JSON.stringify(await publishedSpec(db.parts.store, id, { ...folder, signal }), null, 2)}\n`);
        } else if (flags.drop) {
          const { keptFiles } = await dropFork(db, id, { ...folder, signal });
          if (keptFiles)
            err("its data files stay, because the base uses values in them; `sweep` removes those it does not\n");
        } else {
          const made = await fork(db, id, {
            ...folder,
            ...(version !== undefined && { version }),
            ...(flags.version !== undefined && { version: parseVersion(flags.version) }),
            ...(flags.config !== undefined && { config: parseConfig(flags.config) }),
            signal,
          });
          if (flags.json) await out(jsonLine(made));
          else err(`fork ${id} begins at v${made.base.generation}\n`);
        }
      }),
    );

  folderOption(messageOptions(parent.command("merge <url> <id>")))
    .description("bring what a fork changed into its base, as one version of it, or nothing")
    .option("--into-fork", "the other way: bring what the base changed into the fork")
    .addOption(
      new Option("--on-conflict <choice>", "of keys that both sides changed: merge nothing, keep ours, or take theirs")
        .choices(["fail", "ours", "theirs"])
        .default("fail"),
    )
    .option("--dry-run", "only say what would happen")
    .action((url: string, id: string, flags: MergeFlags) =>
      withWhole(url, flags, surroundings, async ({ db }) => {
        const options = {
          ...(await folderOf(flags)),
          ...messageOf(flags),
          onConflict: flags.onConflict,
          ...(flags.dryRun && { dryRun: true }),
          signal,
        };
        const result = await (flags.intoFork ? updateFork(db, id, options) : merge(db, id, options));
        if (flags.json) {
          await out(jsonLine({ ...result, conflicts: result.conflicts.map(({ key }) => jsonKey(key)) }));
        } else for (const line of linesOf(result, flags)) err(`${line}\n`);
        if (!result.merged && !flags.dryRun) {
          throw new Error(
            `both sides changed ${counted(result.conflicts.length, "key")}; nothing was merged, choose with --on-conflict`,
          );
        }
      }),
    );
}

interface ForkFlags extends Flags {
  readonly version?: string;
  readonly spec?: true;
  readonly drop?: true;
}

interface MergeFlags extends Flags {
  readonly intoFork?: true;
  readonly onConflict: "fail" | "ours" | "theirs";
  readonly dryRun?: true;
}

function linesOf({ merged, head, keys, conflicts, fastForward }: MergeResult, { dryRun }: MergeFlags): string[] {
  const lines = conflicts.map(({ key }) => `both sides changed ${printKey(key)}`);
  const what = keys === undefined ? "everything" : counted(keys, "key");
  if (dryRun) lines.push(`would merge ${what}${fastForward ? ", fast-forward" : ""}`);
  else if (merged) lines.push(`merged ${what}; generation ${head?.generation ?? "unchanged"}`);
  return lines;
}
