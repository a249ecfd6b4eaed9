/**
 * The commands about forks: fork, merge.
 * @module
 */
import { isKvStoreError, printKey } from "@pcg/kvstore";
import {
  type Agreement,
  dropFork,
  fork,
  listForks,
  type MergeResult,
  type MergeUnregisteredOptions,
  merge,
  mergeUnregistered,
  type OcdbtDatabase,
  type OpenFolder,
  publishedSpec,
  updateFork,
} from "@pcg/ocdbt";
import { type Command, InvalidArgumentError, Option } from "commander";
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
import { findingFork, openFolder, parseConfig } from "../open.ts";
import type { Surroundings } from "../surroundings.ts";
import { parseVersion, VERSION_HELP } from "../versions.ts";

interface Flags extends OpenFlags, MessageFlags {
  readonly json?: true;
}

export function addForkCommands(parent: Command, surroundings: Surroundings): void {
  const { out, err, stop: signal } = surroundings;
  /** What cannot be opened here may be within the reach of others. */
  const ifReachable: OpenFolder = async ({ url }) => {
    try {
      return await openFolder(url, signal);
    } catch (error) {
      if (isKvStoreError(error)) return undefined;
      throw error;
    }
  };

  parent
    .command("fork <url> [id]")
    .description("make a fork: a database of its own over this one; without an id, list the forks")
    .option("--folder <url>", "make it here, not inside of its base; or where it lies, when it has been moved since")
    .option("--json", "as JSON")
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
          for await (const { id: name, state, registration, error } of listForks(db.parts.store, {
            openFolder: ifReachable,
            signal,
          })) {
            const at = registration?.base.generation;
            if (flags.json) await out(jsonLine({ id: name, state, ...(at !== undefined && { base: at }) }));
            else await out(`${name}  ${state}${at === undefined ? "" : `  from v${at}`}\n`);
            if (error !== undefined) err(`${name}: ${error.message}\n`);
          }
          return;
        }
        if (flags.spec) {
          const spec = await findingFork(flags.folder, signal, (where) =>
            publishedSpec(db.parts.store, id, { ...where, signal }),
          );
          await out(`${JSON.stringify(spec, null, 2)}\n`);
        } else if (flags.drop) {
          const { keptFiles } = await findingFork(flags.folder, signal, (where) =>
            dropFork(db, id, { ...where, signal }),
          );
          if (keptFiles)
            err("its data files stay, because the base uses values in them; `sweep` removes those it does not\n");
        } else {
          const made = await fork(db, id, {
            ...(flags.folder !== undefined && { folder: await openFolder(flags.folder, signal) }),
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

  messageOptions(parent.command("merge <url> <id>"))
    .description("bring what a fork changed into its base, as one version of it, or nothing")
    .option("--json", "as JSON")
    .option("--into-fork", "the other way: bring what the base changed into the fork")
    .addOption(
      new Option("--on-conflict <choice>", "of keys that both sides changed: merge nothing, keep ours, or take theirs")
        .choices(["fail", "ours", "theirs"])
        .default("fail"),
    )
    .option("--dry-run", "only say what would happen")
    .option(
      "--agreed <versions>",
      "of a fork named by its URL: what its last merge printed, or a version both have",
      parseAgreed,
    )
    .addHelpText(
      "after",
      `
A fork that another program made, such as PyChunkedGraph, is named by its URL or TensorStore's JSON in the place of an id. Nothing remembers
what was merged of it but you: give the next merge what this one prints as agreed.`,
    )
    .action((url: string, id: string, { forkFolder, ...flags }: MergeFlags) =>
      withWhole(url, flags, surroundings, async ({ db }) => {
        const options = {
          ...messageOf(flags),
          onConflict: flags.onConflict,
          ...(flags.dryRun && { dryRun: true }),
          signal,
        };
        const isUrl = /[/{|:]/.test(id);
        if (isUrl && (flags.intoFork || forkFolder !== undefined))
          throw new UsageError("--into-fork and --fork-folder are for forks that the base knows by an id");
        if (!isUrl && flags.agreed !== undefined)
          throw new UsageError("--agreed is for forks named by their URL; of others the base knows it");
        const result = isUrl
          ? await mergeOther(db, id, { ...options, ...(flags.agreed && { agreed: flags.agreed }) })
          : await findingFork(forkFolder, signal, (where) =>
              (flags.intoFork ? updateFork : merge)(db, id, { ...options, ...where }),
            );
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

  async function mergeOther(db: OcdbtDatabase, url: string, options: MergeUnregisteredOptions): Promise<MergeResult> {
    const result = await withWhole(url, { direct: true }, surroundings, (fork) =>
      mergeUnregistered(db, fork.db, options),
    );
    if (result.merged && !options.dryRun) err(`agreed ${result.agreed.fork}:${result.agreed.base}\n`);
    return result;
  }
}

/** `fork:base` as a merge prints it, or one generation that both have. */
function parseAgreed(text: string): Agreement {
  const match = /^v?(\d{1,19})(?::v?(\d{1,19}))?$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError("expected the versions that a merge printed, like 31:17, or one, like v12");
  const fork = BigInt(match[1]!);
  return match[2] === undefined ? { on: "base", fork, base: fork } : { on: "fork", fork, base: BigInt(match[2]) };
}

interface ForkFlags extends Flags {
  readonly folder?: string;
  readonly version?: string;
  readonly spec?: true;
  readonly drop?: true;
}

interface MergeFlags extends Flags {
  readonly agreed?: Agreement;
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
