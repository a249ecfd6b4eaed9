/**
 * The command repair.
 * @module
 */
import { type FsckReport, type RepairChoices, type RepairResult, repair } from "@pcg/ocdbt";
import type { Command } from "commander";
import { counted, jsonLine } from "../context.ts";
import { openFolder, openWhole } from "../open.ts";
import { withProgress } from "../progress.ts";
import type { Surroundings } from "../surroundings.ts";
import { printTime } from "../versions.ts";

interface Flags {
  readonly dryRun?: true;
  readonly dropVersions?: true;
  readonly dropKeys?: true;
  readonly deep?: true;
  readonly json?: true;
}

export function addRepairCommand(parent: Command, { out, err, stop: signal }: Surroundings): void {
  parent
    .command("repair <url>")
    .description("mend what fsck found, without losing anything unless told to; exit code 1 when damage is left")
    .option(
      "--drop-versions",
      "take versions that cannot be read in full out of the history; the newest that can becomes the newest again",
    )
    .option(
      "--drop-keys",
      "the last resort: make a version of what can be read of the newest; with --drop-versions, if no version can be in full",
    )
    .option("--deep", "look at every byte of every value too")
    .option("--dry-run", "say what would be done")
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      `
Stop other writers first. Nothing is removed but what is told to: files stay until \`sweep\`. A fork is named by the JSON
that \`fork --spec\` prints.`,
    )
    .action(async (url: string, flags: Flags) => {
      const { dryRun, dropVersions, dropKeys, deep } = flags;
      const { store, dataPrefix } = await openWhole(url, signal);
      let result: RepairResult;
      try {
        result = await withProgress(err, (onProgress) =>
          repair(store, {
            ...(dryRun && { dryRun }),
            ...(dropVersions && { dropVersions }),
            ...(dropKeys && { dropKeys }),
            ...(deep && { deep }),
            ...(dataPrefix !== undefined && { open: { dataPrefix } }),
            openFolder: ({ url }) => openFolder(url, signal),
            onProgress,
            signal,
          }),
        );
      } finally {
        await store.close();
      }
      const { actions, choices, before, after } = result;
      const report = after ?? before;
      if (flags.json) {
        await out(
          jsonLine({
            actions,
            ...(choices && { choices }),
            soundBefore: before.isSound,
            ...(after && { soundAfter: after.isSound }),
          }),
        );
      } else {
        for (const { kind, message } of actions) await out(`${dryRun ? "would " : ""}${kind}: ${message}\n`);
        if (actions.length === 0) await out(report.isSound ? "nothing to repair\n" : "nothing was repaired\n");
      }
      if (report.isSound || (dryRun && actions.length > 0)) return;
      const advice = `damage is left; ${adviceOn(report, result)}`;
      if (!dryRun) throw new Error(advice);
      err(`${advice}\n`);
    });
}

function adviceOn({ findings, damagedGenerations, damagedVersionNodes }: FsckReport, result: RepairResult): string {
  const { actions, choices } = result;
  const manifests = findings.filter(({ code }) => code === "manifest-damaged").map(({ file }) => file);
  if (manifests.includes("manifest.ocdbt")) {
    return (
      "manifest.ocdbt itself is damaged, and nothing else knows where the versions lie, so no option helps: bring it back from a " +
      "backup or another copy of the database. What forks of it have can be read from them (--fork <id>) all the same"
    );
  }
  if (manifests.length > 0) {
    return `${manifests.join(", ")} cannot be read: --drop-versions removes it, and with it the versions that it alone has`;
  }
  if (choices !== undefined) return adviceOnNewest(choices);
  if (actions.some(({ kind }) => kind === "keep-version")) return "`expire` as said above ends it";
  if (damagedGenerations.length === 0 && damagedVersionNodes.size === 0) return "`fsck` shows it";
  const lost = [
    ...(damagedGenerations.length === 0 ? [] : [counted(damagedGenerations.length, "version")]),
    ...(damagedVersionNodes.size === 0
      ? []
      : [`what is below ${counted(damagedVersionNodes.size, "version-tree node")}`]),
  ];
  return `the newest version is sound; --drop-versions takes what cannot be read out of the history: ${lost.join(", and ")}`;
}

/** What loses least comes first. */
function adviceOnNewest({ newest, sound, readable }: RepairChoices): string {
  const older =
    sound === undefined
      ? "no older version can be either"
      : `--drop-versions makes v${sound.generation} (${printTime(sound.commitTime)}, ${counted(sound.keys, "key")}) the newest again, ` +
        "and what was committed since is lost";
  const rest =
    readable.keys === 0
      ? `of v${newest} nothing can be read, so --drop-keys would leave an empty database`
      : `--drop-keys, the last resort, keeps the ${counted(readable.keys, "key")} of v${newest} that can be read, and about ${readable.lostKeys} are lost`;
  return `v${newest} cannot be read in full: ${older}; ${rest}`;
}
