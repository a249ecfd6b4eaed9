/**
 * Messages and authors of commits, each in a file `refs/log/<generation>-<commit time>-<root>.json` (16, 16 and 32 hexadecimal digits, the last
 * those of the data file of the root node, or zeros when the tree is empty). It is durable before the manifest that makes the commit: whoever sees
 * the version sees its message. What an attempt that came to nothing left behind has the name of a version that never was, and attaches to none;
 * `sweep` removes it.
 * @module
 */
import { type KvStore, keyBytes, keyText, prefixSuccessor } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import type { VersionEntry } from "../format/types.ts";
import { fileName } from "../io/node-reader.ts";
import { readSidecar, type SidecarFields, sidecarBytes } from "./sidecar.ts";

export interface CommitMessage {
  readonly message?: string;
  readonly author?: string;
}

/** Longest message and author, in UTF-16 code units. */
const limits = { message: 8192, author: 512 } as const;

/** Refuses messages over the limit, before a commit. @throws {@link OcdbtError} `too-large` */
export function checkMessage(options: CommitMessage): void {
  for (const name of ["message", "author"] as const) {
    const length = options[name]?.length ?? 0;
    if (length <= limits[name]) continue;
    const text = `a commit's ${name} has at most ${limits[name]} characters, and this one has ${length}`;
    throw new OcdbtError("too-large", text, { fields: { name, length, limit: limits[name] } });
  }
}

/** The file that keeps the message and author of a version; `undefined`: it has neither. */
export function messageFile(
  uuid: string,
  version: VersionEntry,
  { message, author }: CommitMessage,
): { readonly key: string; readonly bytes: Uint8Array } | undefined {
  if (message === undefined && author === undefined) return undefined;
  const key = messageKey("refs/", version);
  const { generation, commitTime } = version;
  const members = { uuid, generation: String(generation), commitTime: String(commitTime), message, author };
  return { key, bytes: sidecarBytes(key, "log", members) };
}

/** Which versions of generations `[first, last]` have a message file; all of them when the store cannot list. */
export async function versionsWithMessages(
  store: KvStore,
  refs: string,
  first: bigint,
  last: bigint,
  signal?: AbortSignal,
): Promise<(version: VersionEntry) => boolean> {
  if (!store.capabilities.list) return () => true;
  const found = new Set<string>();
  const range = { start: keyBytes(`${refs}log/${hex(first)}`), end: prefixSuccessor(`${refs}log/${hex(last)}`)! };
  for await (const { key } of store.list({ range, ...(signal && { signal }) })) found.add(keyText(key) ?? "");
  return (version) => found.has(messageKey(refs, version));
}

/** The message of a version, if it has one. A file that cannot be read counts as none: it is a remark, not history. */
export async function readMessage(
  store: KvStore,
  refs: string,
  uuid: string,
  version: VersionEntry,
  signal?: AbortSignal,
): Promise<CommitMessage | undefined> {
  let found: ReturnType<typeof parse>;
  try {
    const sidecar = await readSidecar(store, messageKey(refs, version), "log", parse, signal);
    if (sidecar === undefined) return undefined;
    found = sidecar.value;
  } catch (error) {
    if (error instanceof OcdbtError) return undefined;
    throw error;
  }
  const { generation, commitTime } = version;
  if (found.uuid !== uuid || found.generation !== generation || found.commitTime !== commitTime) return undefined;
  const { message, author } = found;
  return { ...(message === undefined ? {} : { message }), ...(author === undefined ? {} : { author }) };
}

/** The name of a version's message: nobody else's attempt at the same generation has it, since names of data files are random. */
export function messageKey(refs: string, { generation, commitTime, root }: VersionEntry): string {
  const file = root.location === undefined ? "" : fileName(root.location.file);
  const digits = /[0-9a-f]{32}$/.exec(file)?.[0] ?? "0".repeat(32);
  return `${refs}log/${hex(generation)}-${hex(commitTime)}-${digits}.json`;
}

/** The generation that a message's name begins with; `undefined`: it is no such name. */
export function messageGeneration(key: string): bigint | undefined {
  const digits = /^refs\/log\/([0-9a-f]{16})-[0-9a-f]{16}-[0-9a-f]{32}\.json$/.exec(key)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

function hex(number: bigint): string {
  return number.toString(16).padStart(16, "0");
}

function parse(fields: SidecarFields) {
  return {
    uuid: fields.uuid("uuid"),
    generation: fields.generation("generation"),
    commitTime: fields.uint64("commitTime"),
    message: fields.optionalText("message"),
    author: fields.optionalText("author"),
  };
}
