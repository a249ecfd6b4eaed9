/**
 * The commands that read and write values: get, put, list, cp, rm, apply.
 * @module
 */
import { createHash } from "node:crypto";
import { joinKeys, keyBytes, prefixRange, printKey } from "@pcg/kvstore";
import { diffTrees, EMPTY_TREE, type Mutation, type OcdbtView } from "@pcg/ocdbt";
import type { Command } from "commander";
import { readMutations } from "../apply-lines.ts";
import {
  counted,
  databaseOptions,
  jsonLine,
  type MessageFlags,
  messageOf,
  messageOptions,
  withDatabase,
  withWhole,
} from "../context.ts";
import { NotFound, UsageError } from "../errors.ts";
import { openInput, readAll } from "../input.ts";
import { jsonKey, parseKey } from "../keys.ts";
import type { Opened, OpenFlags } from "../open.ts";
import { withProgress } from "../progress.ts";
import type { Surroundings } from "../surroundings.ts";

interface KeyFlags extends OpenFlags {
  readonly base64?: true;
}

type WriteFlags = KeyFlags & MessageFlags & { readonly json?: true };

/** Values are read in pieces of this size, so that any fits. */
const PIECE_BYTES = 16 << 20;
/** Values read ahead while the one before is printed. */
const READ_AHEAD = 16;

export function addValueCommands(parent: Command, surroundings: Surroundings): void {
  const { out, err, stop } = surroundings;
  const json = (command: Command): Command => command.option("--json", "print the result as JSON");
  const base64 = (command: Command): Command =>
    command.option("--base64", "keys given here are base64, for those that are not UTF-8");
  const creating = (command: Command): Command =>
    json(messageOptions(command)).option(
      "--config <json>",
      'of a database that is made by this, as TensorStore spells it, e.g. {"max_inline_value_bytes": 100}',
    );

  base64(databaseOptions(parent.command("get <url> <key>")))
    .description("write the bytes of a value to stdout; exit code 1 when there is none")
    .action((url: string, key: string, flags: KeyFlags) =>
      withDatabase(url, flags, surroundings, (opened) => get(opened, parseKey(key, flags.base64))),
    );

  creating(base64(parent.command("put <url> <key> <file>")))
    .description("commit the bytes of a file (-: stdin) as a value; makes the database if there is none")
    .action(async (url: string, key: string, file: string, flags: WriteFlags) => {
      const value = await readAll(file, surroundings);
      await withWhole(url, { ...flags, create: true }, surroundings, (opened) =>
        commit(opened, [{ op: "put", key: inFolder(opened, parseKey(key, flags.base64)), value }], flags),
      );
    });

  json(base64(databaseOptions(parent.command("list <url> [prefix]"))))
    .description("list the keys in bytewise order, each with the size of its value")
    .option("--sha256", "read every value and add its digest")
    .option("--level", "only what is directly below: keys, and folders ending in a slash")
    .action((url: string, prefix: string | undefined, flags: ListFlags) =>
      withDatabase(url, flags, surroundings, (opened) => list(opened, prefix ?? "", flags)),
    );

  json(messageOptions(base64(parent.command("cp <url> <from> <to>"))))
    .description("copy a value by reference, in one commit; with a version in the URL, from that version")
    .option("--prefix", "copy every key that begins with <from>, with <to> in its place")
    .action((url: string, from: string, to: string, flags: WriteFlags & { readonly prefix?: true }) =>
      withDatabase(url, flags, surroundings, async (opened) => {
        const [source, target] = [from, to].map((key) => inFolder(opened, parseKey(key, flags.base64)));
        const copies = await copiesOf(opened, source!, target!, flags.prefix === true, stop);
        if (copies.length === 0) throw new NotFound(`${opened.db.url} has no key ${printKey(source!)}`);
        await commit(opened, copies, flags);
        if (!flags.json) err(`${counted(copies.length, "key")} copied\n`);
      }),
    );

  json(messageOptions(base64(parent.command("rm <url> <key>"))))
    .description("remove a key, in one commit; exit code 1 when there is none")
    .option("--prefix", "remove every key that begins with <key>")
    .action((url: string, text: string, flags: WriteFlags & { readonly prefix?: true }) =>
      withWhole(url, flags, surroundings, async (opened) => {
        const key = inFolder(opened, parseKey(text, flags.base64));
        if (flags.prefix) return await commit(opened, [{ op: "deleteRange", ...prefixRange(key) }], flags);
        const found = await opened.db.read(key, { range: { offset: 0, length: 0 }, signal: stop });
        if (found === undefined) throw new NotFound(`${opened.db.url} has no key ${printKey(key)}`);
        await commit(opened, [{ op: "delete", key, ifGeneration: found.generation }], flags);
      }),
    );

  creating(parent.command("apply <url> <file>"))
    .description("commit the mutations of a file (-: stdin) together, or none of them")
    .addHelpText(
      "after",
      `
One JSON object a line:
  {"op":"put","keyBase64":"YQ==","valueBase64":"MQ=="}
  {"op":"delete","keyBase64":"YQ=="}
  {"op":"deleteRange","startBase64":"YQ==","endBase64":"Yg=="}    from start to before end; to the last key without an end, or with ""`,
    )
    .action(async (url: string, file: string, flags: WriteFlags) => {
      const mutations = await withProgress(err, (onProgress) =>
        readMutations(openInput(file, surroundings), onProgress),
      );
      await withWhole(url, { ...flags, create: true }, surroundings, async (opened) => {
        if (opened.prefix !== "") throw new UsageError("`apply` has whole keys; give it the URL of the database alone");
        await commit(opened, mutations, flags);
        if (!flags.json) err(`${counted(mutations.length, "mutation")} applied\n`);
      });
    });

  async function get(opened: Opened, key: Uint8Array): Promise<void> {
    const { db, prefix } = opened;
    const view = await oneVersion(opened, stop);
    const whole = joinKeys(keyBytes(prefix), key);
    for (let offset = 0; ; ) {
      const found = await view.read(whole, { range: { offset, length: PIECE_BYTES }, signal: stop });
      if (found === undefined) throw new NotFound(`${db.url} has no key ${printKey(whole)}`);
      await out(found.value);
      offset += found.value.length;
      if (offset >= found.size) return;
    }
  }

  async function list(opened: Opened, text: string, flags: ListFlags): Promise<void> {
    const { prefix } = opened;
    const view = await oneVersion(opened, stop);
    const below = joinKeys(keyBytes(prefix), parseKey(text, flags.base64));
    const skip = keyBytes(prefix).length;
    if (flags.level) {
      for await (const entry of view.listLevel(below, { signal: stop })) {
        const name = (entry.kind === "key" ? entry.key : entry.prefix).subarray(skip);
        if (flags.json)
          await out(
            jsonLine({ ...jsonKey(name), ...(entry.kind === "key" ? { size: entry.size } : { folder: true }) }),
          );
        else
          await out(
            `${entry.kind === "key" ? String(entry.size).padStart(12) : "folder".padStart(12)}  ${printKey(name)}\n`,
          );
      }
      return;
    }
    const lines = aheadOf(view.list({ prefix: below, signal: stop }), READ_AHEAD, async ({ key, size }) => {
      const sha256 = flags.sha256 ? await digest(view, key) : undefined;
      const name = key.subarray(skip);
      if (flags.json) return jsonLine({ ...jsonKey(name), size, ...(sha256 !== undefined && { sha256 }) });
      return `${String(size).padStart(12)}  ${sha256 === undefined ? "" : `${sha256}  `}${printKey(name)}\n`;
    });
    for await (const line of lines) await out(line);
  }

  async function digest(view: OcdbtView, key: Uint8Array): Promise<string> {
    const hash = createHash("sha256");
    for (let offset = 0; ; ) {
      const found = await view.read(key, { range: { offset, length: PIECE_BYTES }, signal: stop });
      if (found === undefined)
        throw new NotFound(`the value of ${printKey(key)} is gone: its version has expired meanwhile`);
      hash.update(found.value);
      offset += found.value.length;
      if (offset >= found.size) return hash.digest("hex");
    }
  }

  async function commit(opened: Opened, mutations: readonly Mutation[], flags: WriteFlags): Promise<void> {
    const receipt = await opened.db.apply(mutations, { atomic: true, ...messageOf(flags), signal: stop });
    const { head } = receipt;
    if (head === undefined && receipt.applied.includes(false)) {
      throw new Error("a key changed meanwhile; nothing was written, do it again");
    }
    if (flags.json) await out(jsonLine({ generation: head?.generation ?? null, commitTime: head?.commitTime ?? null }));
    else err(head === undefined ? "nothing to do\n" : `generation ${head.generation}\n`);
  }
}

interface ListFlags extends KeyFlags {
  readonly sha256?: true;
  readonly level?: true;
  readonly json?: true;
}

function inFolder({ prefix }: Opened, key: Uint8Array): Uint8Array {
  return joinKeys(keyBytes(prefix), key);
}

/** The version that the URL names, or the newest as it is now, whatever is committed while it is read. */
async function oneVersion({ db, view, version }: Opened, signal: AbortSignal): Promise<OcdbtView> {
  if (version !== undefined) return view;
  const head = await db.head({ signal });
  return head === undefined ? db : await db.at({ generation: head.generation }, { signal });
}

/** Puts that refer to the values a version has already. */
async function copiesOf(
  { db, view }: Opened,
  from: Uint8Array,
  to: Uint8Array,
  prefix: boolean,
  signal: AbortSignal,
): Promise<Mutation[]> {
  const version = await view.version({ signal });
  if (version === undefined) return [];
  const { nodes } = db.parts;
  const range = prefix ? prefixRange(from) : { start: from, end: joinKeys(from, Uint8Array.of(0)) };
  const copies: Mutation[] = [];
  for await (const { key, after } of diffTrees(
    { nodes, root: EMPTY_TREE },
    { nodes, root: version.root },
    { range, signal },
  )) {
    copies.push({ op: "put", key: joinKeys(to, key.subarray(from.length)), value: after! });
  }
  return copies;
}

/** `transform` of each item in order, with up to `count` of them under way. */
async function* aheadOf<T, R>(
  items: AsyncIterable<T>,
  count: number,
  transform: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  for await (const item of items) {
    const result = transform(item);
    // Looked at in its turn; until then a failure must not count as unhandled.
    result.catch(() => {});
    underWay.push(result);
    if (underWay.length > count) yield await underWay.shift()!;
  }
  for (const result of underWay) yield await result;
}
