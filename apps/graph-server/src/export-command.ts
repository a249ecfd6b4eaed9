/**
 * The command `export`.
 * @module
 */
import type { Time } from "@pcg/chunkedgraph";
import type { ExportReport } from "@pcg/chunkedgraph/export";
import { parseCount, parseXyz } from "@pcg/ingest/option-values";
import { isTaskError, throttleProgress } from "@pcg/tasks";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "./config.ts";
import { type ExportTableOptions, exportTable } from "./export-table.ts";
import { parseSeconds } from "./http/query.ts";
import { toIso } from "./http/time-text.ts";
import type { Surroundings } from "./surroundings.ts";

const PROGRESS_EVERY_MS = 2000;

type Flags = Pick<ExportTableOptions, "table" | "to" | "time" | "chunkSize" | "encoding" | "sharded" | "resume"> & {
  readonly parallel?: number;
  readonly json?: true;
};

/** Adds the command to its parent. @param settings reads those that commands share */
export function addExportCommand(
  parent: Command,
  settings: (flags: Record<string, unknown>) => Promise<Config>,
  { out, err, stop }: Surroundings,
): void {
  parent
    .command("export")
    .description(
      "write the objects of a table, now or at a time, as a plain volume: each voxel the root of its supervoxel",
    )
    .option("--data <dir>", "data folder")
    .requiredOption("--table <name>", "the table")
    .requiredOption("--to <url>", "folder or URL; ending in |zarr2: or |zarr3: for zarr, else precomputed")
    .option(
      "--time <when>",
      "state to export: seconds since 1970, or 2026-01-31T12:00:00Z (UTC unless it says); default: now",
      parseTime,
    )
    .option("--chunk-size <x,y,z>", "voxels per chunk; default: as the supervoxels' files", parseXyz)
    .addOption(new Option("--encoding <name>", "of precomputed chunks").choices(["compressed_segmentation", "raw"]))
    .option("--sharded", "few large files: shards")
    .option("--resume", "go on with an export to the same place that was not finished")
    .option("--parallel <n>", "threads; default: one per processor", parseCount)
    .option("--config <file>", "settings in YAML")
    .option("--json", "print the report as JSON")
    .allowExcessArguments(false)
    .action(async ({ data, config, parallel, json, ...flags }: Flags & Record<"data" | "config", unknown>) => {
      const report = await exportTable({
        ...flags,
        data: (await settings({ data, config })).data,
        ...(parallel !== undefined && { parallelism: parallel }),
        onProgress: throttleProgress(({ done, total }) => err(`objects: ${done} of ${total}\n`), PROGRESS_EVERY_MS),
        signal: stop,
      }).catch((error: unknown) => {
        throw explained(error, stop);
      });
      out(
        `${json ? JSON.stringify({ table: flags.table, ...report, time: toIso(report.time, "T") }) : reportText(report)}\n`,
      );
    });
}

function explained(error: unknown, stop: AbortSignal): unknown {
  if (stop.aborted) return new Error("stopped; --resume goes on", { cause: error });
  if (isTaskError(error, "too-large"))
    return new Error(`${error.message}; give a smaller --chunk-size`, { cause: error });
  return error;
}

/** The report for people. */
function reportText(report: ExportReport): string {
  const number = (value: number): string => Math.round(value).toLocaleString("en");
  const lines: [string, string][] = [
    ["outcome", report.outcome],
    ["volume", report.url],
    ["state of", toIso(report.time)],
    ["voxels", `${report.size.join("×")} in ${number(report.chunks)} chunks of ${report.chunkSize.join("×")}`],
    ...(report.objects === undefined ? [] : ([["objects", number(report.objects)]] satisfies [string, string][])),
    ["time", `${report.seconds.toFixed(1)} s, ${number(report.voxelsPerSecond)} voxels/s`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(8)} ${value}`).join("\n");
}

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?$/;

function parseTime(text: string): Time {
  const seconds = parseSeconds(text);
  if (seconds !== undefined) return seconds;
  const [, date, minutes = "00:00", second = ":00", fraction = "", zone = "Z"] = ISO.exec(text) ?? [];
  const milliseconds = Date.parse(`${date}T${minutes}${second}${zone}`);
  if (!(milliseconds >= 0))
    throw new InvalidArgumentError("expected seconds since 1970, or a time like 2026-01-31T12:00:00Z");
  return BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, "0"));
}
