/**
 * What every command has: the process's streams, and how to run with an open database.
 * @module
 */
import { type Command, InvalidArgumentError } from "commander";
import { UsageError } from "./errors.ts";
import { type DatabaseFlags, type Opened, type OpenFlags, openDatabase } from "./open.ts";
import type { Surroundings } from "./surroundings.ts";

/** Adds the options of commands that open a database. */
export function databaseOptions(command: Command): Command {
  return command
    .option("--fork <id>", "the fork of this name, not the database itself")
    .option("--fork-folder <url>", "where the fork lies, when it has been moved since its base knows of it");
}

/** Adds the options of commands that commit. */
export function commitOptions(command: Command): Command {
  return databaseOptions(command)
    .option("--coordinator-token <text>", "token of the database's coordinator")
    .option("--direct", "do not ask the coordinator, commit from here");
}

/** Adds the options of commands whose commits may be explained. */
export function messageOptions(command: Command): Command {
  return commitOptions(command)
    .option("-m, --message <text>", "why; shown by `log`")
    .option("--author <text>", "who; shown by `log`");
}

export interface MessageFlags {
  readonly message?: string;
  readonly author?: string;
}

export function messageOf({ message, author }: MessageFlags): MessageFlags {
  return { ...(message !== undefined && { message }), ...(author !== undefined && { author }) };
}

/** Runs `use` with the database at `url`, and closes it whatever happens. */
export async function withDatabase<T>(
  url: string,
  flags: OpenFlags & DatabaseFlags,
  { stop }: Surroundings,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await openDatabase(url, flags, stop);
  try {
    return await use(opened);
  } finally {
    await opened.close();
  }
}

/** {@link withDatabase} for commands that change it, or are about all of it: a version in the URL cannot be meant. */
export async function withWhole<T>(
  url: string,
  flags: OpenFlags & DatabaseFlags,
  surroundings: Surroundings,
  use: (opened: Opened) => Promise<T>,
): Promise<T> {
  return await withDatabase(url, flags, surroundings, async (opened) => {
    if (opened.version !== undefined) {
      throw new UsageError(`${url} names a version, and nothing changes a version; leave out the @…`);
    }
    return await use(opened);
  });
}

/** `1 key`, `2 keys`. */
export function counted(count: number | bigint, noun: string): string {
  return `${count} ${noun}${BigInt(count) === 1n ? "" : "s"}`;
}

/** Marks numbers that JavaScript's own JSON cannot write; no text of a database can be it. */
const exact = crypto.randomUUID();
const exactNumbers = new RegExp(`"${exact}(\\d+)"`, "g");

/** A line of JSON. 64-bit numbers are written in full. */
export function jsonLine(value: unknown): string {
  const marked = JSON.stringify(value, (_, member: unknown) =>
    typeof member === "bigint" ? `${exact}${member}` : member,
  );
  return `${marked.replace(exactNumbers, "$1")}\n`;
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 up");
  return Number(text);
}

/** `90s`, `15m`, `24h`, `30d`, in ms. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("expected a duration like 90s, 15m, 24h or 30d");
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Number(match[1]) * units[match[2]!]!;
}

/** Bytes for people. */
export function printBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024) return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} TiB`;
}
