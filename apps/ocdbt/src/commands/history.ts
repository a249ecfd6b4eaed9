/**
 * The commands about what was: log, head, tag, diff, restore, history.
 * @module
 */
import { joinKeys, keyBytes, printKey } from "@pcg/kvstore";
import {
  createTag,
  deleteTag,
  diff,
  keyHistory,
  listTags,
  log,
  restore,
  restoreKeys,
  type StoredValue,
} from "@pcg/ocdbt";
import type { Command } from "commander";
import {
  databaseOptions,
  jsonLine,
  type MessageFlags,
  messageOf,
  messageOptions,
  parseCount,
  printBytes,
  withDatabase,
  withWhole,
} from "../context.ts";
import { NotFound, UsageError } from "../errors.ts";
import { jsonKey, parseKey } from "../keys.ts";
import type { Opened, OpenFlags } from "../open.ts";
import type { Surroundings } from "../surroundings.ts";
import { parseVersion, printTime, VERSION_HELP } from "../versions.ts";

interface Flags extends OpenFlags, MessageFlags {
  readonly json?: true;
  readonly base64?: true;
}

export function addHistoryCommands(parent: Command, surroundings: Surroundings): void {
  const { out, err, stop: signal } = surroundings;

  databaseOptions(parent.command("log <url>").alias("versions"))
    .description("list the versions, newest first; from the one the URL names on")
    .option("--json", "one JSON object a line")
    .option("-n, --limit <count>", "no more than this", parseCount)
    .action((url: string, flags: Flags & { readonly limit?: number }) =>
      withDatabase(url, flags, surroundings, async (opened) => {
        let left = flags.limit ?? Number.POSITIVE_INFINITY;
        for await (const entry of log(opened.db, { ...(await upToNamed(opened, signal)), signal })) {
          if (left-- === 0) break;
          if (flags.json) {
            await out(jsonLine(entry));
            continue;
          }
          const { generation, commitTime, numKeys, treeBytes, valueBytes, message, author } = entry;
          const size = `${numKeys} keys, ${printBytes(treeBytes + valueBytes)}`;
          const why = [author, message].filter((part) => part !== undefined).join(": ");
          await out(`v${generation}  ${printTime(commitTime)}  ${size}${why === "" ? "" : `  ${why}`}\n`);
        }
      }),
    );

  databaseOptions(parent.command("head <url>"))
    .description("print the newest version, or the one the URL names: its generation and commit time")
    .option("--json", "as JSON")
    .action((url: string, flags: Flags) =>
      withDatabase(url, flags, surroundings, async ({ db, view }) => {
        const version = await view.version({ signal });
        if (version === undefined) throw new NotFound(`${db.url} has no version yet`);
        const head = { generation: version.generation, commitTime: version.commitTime };
        await out(flags.json ? jsonLine(head) : `v${head.generation}  ${printTime(head.commitTime)}\n`);
      }),
    );

  messageOptions(parent.command("tag <url> [name] [version]"))
    .description("name a version: the newest, or the one the URL names, unless told; without a name, list the tags")
    .option("--json", "one JSON object a line")
    .option("--force", "move a tag that exists")
    .option("--delete", "remove the tag")
    .addHelpText("after", `\n${VERSION_HELP}`)
    .action((url: string, name: string | undefined, version: string | undefined, flags: TagFlags) =>
      withDatabase(url, flags, surroundings, async ({ db, version: named }) => {
        if (named !== undefined && version !== undefined) throw new UsageError("the URL names a version already");
        if (name === undefined) {
          if (flags.delete || flags.force) throw new UsageError("give the name of the tag");
          for await (const listed of listTags(db.parts.store, db.uuid, { signal })) {
            if (listed.tag === undefined) err(`${listed.name}: ${listed.error.message}\n`);
            else if (flags.json) await out(jsonLine(listed.tag));
            else await out(`${listed.name}  v${listed.tag.generation}  ${printTime(listed.tag.commitTime)}\n`);
          }
          return;
        }
        if (flags.delete) {
          if (version !== undefined) throw new UsageError("--delete takes the name of the tag alone");
          if (!(await deleteTag(db, name, { signal }))) throw new NotFound(`${db.url} has no tag ${name}`);
          return;
        }
        const made = await createTag(
          db,
          name,
          version === undefined ? (named ?? { ancestor: 0 }) : parseVersion(version),
          {
            ...messageOf(flags),
            ...(flags.force && { force: true }),
            signal,
          },
        );
        if (flags.json) await out(jsonLine(made));
        else err(`${made.name} is v${made.generation}\n`);
      }),
    );

  databaseOptions(parent.command("diff <url> <before> [after]"))
    .description("list the keys that differ between two versions, reading only what changed")
    .option("--prefix <key>", "only keys that begin with this")
    .option("--compare-bytes", "pass over values that were rewritten as they were")
    .option("--json", "one JSON object a line")
    .addHelpText("after", `\n${VERSION_HELP}\nWithout <after>: head, or the version the URL names.`)
    .action((url: string, before: string, after: string | undefined, flags: DiffFlags) =>
      withDatabase(url, flags, surroundings, async ({ db, prefix, version }) => {
        if (after !== undefined && version !== undefined) throw new UsageError("the URL names a version already");
        const options = {
          prefix: joinKeys(keyBytes(prefix), keyBytes(flags.prefix ?? "")),
          ...(flags.compareBytes && { compareBytes: true }),
          signal,
        };
        for await (const change of diff(db, parseVersion(before), version ?? parseVersion(after ?? "head"), options)) {
          const [was, is] = [change.before, change.after].map((value) => value?.length);
          if (flags.json) {
            await out(
              jsonLine({
                kind: change.kind,
                ...jsonKey(change.key),
                ...(was !== undefined && { before: was }),
                ...(is !== undefined && { after: is }),
              }),
            );
          } else await out(`${signs[change.kind]} ${printKey(change.key)}\n`);
        }
      }),
    );

  messageOptions(parent.command("restore <url> <version> [keys...]"))
    .description("make an old version the newest, as a new version; with keys or --prefix, only those")
    .option("--prefix <key>", "all keys that begin with this; those added since go")
    .option("--base64", "keys here are base64")
    .option("--json", "as JSON")
    .addHelpText("after", `\n${VERSION_HELP}\nNo value is copied, whatever its size.`)
    .action((url: string, version: string, keys: string[], flags: Flags & { readonly prefix?: string }) =>
      withWhole(url, flags, surroundings, async ({ db, prefix }) => {
        if (prefix !== "") throw new UsageError("`restore` has whole keys; give it the URL of the database alone");
        const old = parseVersion(version);
        const options = { ...messageOf(flags), signal };
        if (keys.length > 0 && flags.prefix !== undefined) throw new UsageError("give keys or --prefix, not both");
        const selection =
          flags.prefix !== undefined
            ? { prefix: parseKey(flags.prefix, flags.base64) }
            : { keys: keys.map((key) => parseKey(key, flags.base64)) };
        const all = keys.length === 0 && flags.prefix === undefined;
        const result = all ? await restore(db, old, options) : await restoreKeys(db, old, selection, options);
        if (flags.json) await out(jsonLine(result));
        else err(result.head === undefined ? "nothing to do\n" : `generation ${result.head.generation}\n`);
      }),
    );

  databaseOptions(parent.command("history <url> <key>"))
    .description("list the versions at which a key changed, newest first")
    .option("--base64", "the key is base64")
    .option("-n, --limit <count>", "no more than this", parseCount)
    .option("--json", "one JSON object a line")
    .action((url: string, text: string, flags: Flags & { readonly limit?: number }) =>
      withDatabase(url, flags, surroundings, async (opened) => {
        const { db, prefix } = opened;
        const key = joinKeys(keyBytes(prefix), parseKey(text, flags.base64));
        const limit = flags.limit ?? Number.POSITIVE_INFINITY;
        let found = 0;
        for await (const { version, kind, value } of keyHistory(db, key, {
          ...(await upToNamed(opened, signal)),
          signal,
        })) {
          if (found === limit) break;
          found++;
          const { generation, commitTime } = version;
          if (flags.json) await out(jsonLine({ generation, commitTime, kind, ...sizeOf(value) }));
          else
            await out(`v${generation}  ${printTime(commitTime)}  ${kind}${value ? `  ${value.length} bytes` : ""}\n`);
        }
        if (found === 0) throw new NotFound(`no version of ${db.url} has a key ${printKey(key)}`);
      }),
    );
}

/** Bounds a walk through the versions by the one that the URL names. */
async function upToNamed({ view, version }: Opened, signal: AbortSignal): Promise<{ readonly maxGeneration?: bigint }> {
  const named = version === undefined ? undefined : await view.version({ signal });
  return named === undefined ? {} : { maxGeneration: named.generation };
}

const signs = { added: "+", removed: "-", changed: "~" } as const;

interface TagFlags extends Flags {
  readonly force?: true;
  readonly delete?: true;
}

interface DiffFlags extends Flags {
  readonly prefix?: string;
  readonly compareBytes?: true;
}

function sizeOf(value: StoredValue | undefined): { readonly size?: number } {
  return value === undefined ? {} : { size: value.length };
}
