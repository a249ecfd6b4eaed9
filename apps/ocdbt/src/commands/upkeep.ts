/**
 * The commands that keep a database small and sound: expire, sweep, compact, fsck, repair.
 * @module
 */
import { compact, expire, type FsckReport, fsck, type OpenFolder, sweep } from "@pcg/ocdbt";
import type { Command } from "commander";
import {
  commitOptions,
  counted,
  databaseOptions,
  jsonLine,
  parseCount,
  parseDuration,
  printBytes,
  withWhole,
} from "../context.ts";
import { UsageError } from "../errors.ts";
import { type OpenFlags, openDatabase, openFolder, openWhole } from "../open.ts";
import { withProgress } from "../progress.ts";
import type { Surroundings } from "../surroundings.ts";
import { addRepairCommand } from "./repair.ts";

interface Flags extends OpenFlags {
  readonly json?: true;
  readonly dryRun?: true;
}

export function addUpkeepCommands(parent: Command, surroundings: Surroundings): void {
  const { out, err, stop: signal } = surroundings;
  const common = (command: Command): Command =>
    commitOptions(command)
      .option("--json", "print the report as JSON")
      .option("--dry-run", "look only, change nothing");
  /** Forks beside their base are looked into too. */
  const openForks: OpenFolder = ({ url }) => openFolder(url, signal);
  common(parent.command("expire <url>"))
    .description("take old versions out of the history; tagged ones, and those forks begin with, stay")
    .option("--keep <count>", "versions that stay, counted from the newest", parseCount)
    .option(
      "--older-than <when>",
      "only versions older than a duration (30d) or a time (2026-04-24T00:00:00Z)",
      parseAge,
    )
    .addHelpText("after", "\nFiles are removed later, by `sweep`.")
    .action((url: string, flags: Flags & { readonly keep?: number; readonly olderThan?: string }) =>
      withWhole(url, flags, surroundings, async ({ db }) => {
        const { keep, olderThan } = flags;
        if (keep === undefined && olderThan === undefined)
          throw new UsageError("say what may go: --keep, --older-than, or both");
        const policy = { ...(keep !== undefined && { keepLast: keep }), ...(olderThan !== undefined && { olderThan }) };
        const result = await withProgress(err, (onProgress) =>
          expire(db, policy, { ...dry(flags), onProgress, signal }),
        );
        if (flags.json) await out(jsonLine(result));
        else {
          await out(
            `${counted(result.expired, "version")} ${flags.dryRun ? "would go" : "went"}, ${result.kept} stay\n`,
          );
          for (const { generation, reasons } of result.heldBack) err(`v${generation} stays: ${reasons.join(", ")}\n`);
        }
      }),
    );

  common(parent.command("sweep <url>"))
    .description("remove data files that no version of the database or of its forks needs")
    .option(
      "--grace <duration>",
      "how long a file must have been unneeded, seen by two sweeps, 15m at least; 0s: at once",
      parseDuration,
    )
    .option("--base <url>", "of a fork that is not named by --fork: its topmost base, which may use its files")
    .action((url: string, flags: Flags & { readonly grace?: number; readonly base?: string }) =>
      withWhole(url, flags, surroundings, async ({ db, store }) => {
        const inBase = flags.fork === undefined ? {} : { base: store };
        const base = flags.base === undefined ? inBase : { base: (await openWhole(flags.base, signal)).store };
        const grace = flags.grace === undefined ? {} : { graceMs: flags.grace };
        const result = await withProgress(err, (onProgress) =>
          sweep(db, { ...dry(flags), ...base, ...grace, openFolder: openForks, onProgress, signal }),
        );
        if (flags.json) {
          await out(jsonLine(result));
          return;
        }
        const listed = (files: typeof result.removed): string => {
          const known = files.every(({ bytes }) => bytes !== undefined);
          const total = files.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
          return `${counted(files.length, "file")}${known && files.length > 0 ? ` of ${printBytes(total)}` : ""}`;
        };
        await out(
          `${flags.dryRun ? "would remove" : "removed"} ${listed(result.removed)}; ` +
            `${listed(result.waiting)} unneeded, in grace; ${counted(result.needed, "file")} needed\n`,
        );
      }),
    );

  common(parent.command("compact <url>"))
    .description(
      "write what is left of sparse data files once more, close together; then `expire` and `sweep` free the space",
    )
    .option("--live-ratio <part>", "empty files of which less than this part is needed, 0 to 1", parseRatio, 0.5)
    .action((url: string, flags: Flags & { readonly liveRatio: number }) =>
      withWhole(url, flags, surroundings, async ({ db }) => {
        const { liveRatio } = flags;
        const result = await withProgress(err, (onProgress) =>
          compact(db, { ...dry(flags), liveRatio, onProgress, signal }),
        );
        if (flags.json) await out(jsonLine(result));
        else {
          await out(
            `${result.files} files of ${printBytes(result.fileBytes)} ${flags.dryRun ? "would be" : "are"} emptied; ` +
              `${printBytes(result.movedBytes)} of ${result.keys} keys ${flags.dryRun ? "would move" : "moved"}\n`,
          );
        }
      }),
    );

  databaseOptions(parent.command("fsck <url>"))
    .description(
      "check a database from its manifest to the last value; exit code 1 when a version cannot be read in full",
    )
    .option("--deep", "read every byte that is referred to, values included")
    .option("--json", "print the report as JSON")
    .action(async (url: string, flags: Flags & { readonly deep?: true }) => {
      const options = { ...(flags.deep && { deep: true }), openFolder: openForks, signal };
      const report = await withProgress(err, (onProgress) => check(url, flags, { ...options, onProgress }));
      if (flags.json) {
        await out(
          jsonLine({
            ...report,
            counts: Object.fromEntries(report.counts),
            damagedVersionNodes: [...report.damagedVersionNodes],
          }),
        );
      } else for (const line of linesOf(report)) await out(`${line}\n`);
      if (!report.isSound) throw new Error("there is damage; `repair` mends what can be mended");
    });

  addRepairCommand(parent, surroundings);

  /** A database that cannot be opened is checked all the same. */
  async function check(url: string, flags: OpenFlags, options: Parameters<typeof fsck>[1]): Promise<FsckReport> {
    if (flags.fork !== undefined) {
      const opened = await openDatabase(url, flags, signal);
      return await fsck(opened.db, options).finally(() => opened.close());
    }
    const { store } = await openWhole(url, signal);
    return await fsck(store, options).finally(() => store.close());
  }
}

function linesOf(report: FsckReport): string[] {
  const { findings, counts, versions, nodes, keys, files, fileBytes, usedBytes } = report;
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    ...findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`),
    ...(total > findings.length ? [`and ${total - findings.length} more`] : []),
    `${versions} versions, ${nodes} nodes, ${keys} keys; ${files} files of ${printBytes(fileBytes)}, ${printBytes(usedBytes)} in use`,
    report.isSound ? "sound" : "damaged",
  ];
}

function dry({ dryRun }: Flags): { readonly dryRun?: true } {
  return dryRun ? { dryRun } : {};
}

function parseAge(text: string): bigint | string {
  if (/^\d{4}-/.test(text)) return text;
  return (BigInt(Date.now()) - BigInt(parseDuration(text))) * 1_000_000n;
}

function parseRatio(text: string): number {
  const ratio = Number(text);
  if (!/^[01](\.\d+)?$/.test(text) || ratio > 1)
    throw new UsageError(`--live-ratio is ${text}, expected a number from 0 to 1`);
  return ratio;
}
