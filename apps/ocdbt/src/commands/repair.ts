/**
 * The command repair.
 * @module
 */
import { type RepairResult, repair } from "@pcg/ocdbt";
import type { Command } from "commander";
import { jsonLine } from "../context.ts";
import { openFolder, openWhole } from "../open.ts";
import { withProgress } from "../progress.ts";
import type { Surroundings } from "../surroundings.ts";

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
    .option("--drop-keys", "when the newest version cannot be read in full, make a version of what can be read")
    .option("--drop-versions", "take versions that cannot be read in full out of the history")
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
      const { actions, before, after } = result;
      if (flags.json) {
        await out(jsonLine({ actions, soundBefore: before.isSound, ...(after && { soundAfter: after.isSound }) }));
      } else {
        for (const { kind, message } of actions) await out(`${dryRun ? "would " : ""}${kind}: ${message}\n`);
        if (actions.length === 0) await out("nothing to repair\n");
      }
      if (after !== undefined && !after.isSound) {
        const held = actions.some(({ kind }) => kind === "keep-version");
        const advice = held
          ? "`expire` as said above ends it"
          : "`fsck` shows it, --drop-keys or --drop-versions give up what is lost";
        throw new Error(`damage is left; ${advice}`);
      }
    });
}
