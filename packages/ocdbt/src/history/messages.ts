/**
 * Messages and authors of commits, each in a file `refs/log/<generation, 16 hexadecimal digits>.json`. They are written
 * after the commit: a crash between the two loses the message, never the commit. A message belongs to the version of its
 * uuid, generation and commit time; what an earlier database left behind attaches to nothing.
 * @module
 */
import { type KvStore, keyBytes, keyText, prefixSuccessor } from "@pcg/kvstore";
import type { Head } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
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

/** Keeps the message and author of a version, if it has any. */
export async function writeMessage(
  store: KvStore,
  uuid: string,
  head: Head,
  options: CommitMessage & { readonly signal?: AbortSignal },
): Promise<void> {
  const { message, author, signal } = options;
  if (message === undefined && author === undefined) return;
  const key = messageKey("refs/", head.generation);
  const members = { uuid, generation: String(head.generation), commitTime: String(head.commitTime), message, author };
  await store.write(key, sidecarBytes(key, "log", members), { ...(signal && { signal }) });
}

/** Which generations of `[first, last]` have a message file; all of them when the store cannot list. */
export async function generationsWithMessages(
  store: KvStore,
  refs: string,
  first: bigint,
  last: bigint,
  signal?: AbortSignal,
): Promise<(generation: bigint) => boolean> {
  if (!store.capabilities.list) return () => true;
  const found = new Set<string>();
  const range = { start: keyBytes(messageKey(refs, first)), end: prefixSuccessor(messageKey(refs, last))! };
  for await (const { key } of store.list({ range, ...(signal && { signal }) })) found.add(keyText(key) ?? "");
  return (generation) => found.has(messageKey(refs, generation));
}

/** The message of a version, if it has one. A file that cannot be read counts as none: it is a remark, not history. */
export async function readMessage(
  store: KvStore,
  refs: string,
  uuid: string,
  head: Head,
  signal?: AbortSignal,
): Promise<CommitMessage | undefined> {
  let found: ReturnType<typeof parse>;
  try {
    const sidecar = await readSidecar(store, messageKey(refs, head.generation), "log", parse, signal);
    if (sidecar === undefined) return undefined;
    found = sidecar.value;
  } catch (error) {
    if (error instanceof OcdbtError) return undefined;
    throw error;
  }
  if (found.uuid !== uuid || found.generation !== head.generation || found.commitTime !== head.commitTime) return;
  const { message, author } = found;
  return { ...(message === undefined ? {} : { message }), ...(author === undefined ? {} : { author }) };
}

function messageKey(refs: string, generation: bigint): string {
  return `${refs}log/${generation.toString(16).padStart(16, "0")}.json`;
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
