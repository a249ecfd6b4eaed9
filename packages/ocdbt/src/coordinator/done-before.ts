/**
 * Whether a request that was sent before is in a version already.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { pathToBytes } from "../format/index.ts";
import type { Manifest, VersionEntry } from "../format/types.ts";
import { versionsOf } from "../history/versions.ts";
import type { NodeReader } from "../parts.ts";
import { type CommittedRequest, decodeCommitRecord, RECORD_HEADER_BYTES, recordBodyLength } from "./commit-record.ts";
import type { RequestId } from "./request-id.ts";

/** A request, and the newest generation there was when it was first sent. */
export interface SentRequest {
  readonly id: RequestId;
  readonly since: bigint;
}

export interface DoneBefore {
  readonly version: VersionEntry;
  readonly applied: readonly boolean[];
}

/**
 * Where a record is that cannot stand behind a root node: the tree is empty, or its file was full. Written before the
 * manifest; it counts for the version with exactly this generation and time, so that one written in vain counts for none.
 */
export function recordKey({ generation, commitTime }: Pick<VersionEntry, "generation" | "commitTime">): string {
  return `coordinator/records/${generation.toString(16).padStart(16, "0")}-${commitTime.toString(16).padStart(16, "0")}`;
}

/** Looks at the versions since the request was first sent; there are few. */
export async function findDone(
  { id, since }: SentRequest,
  manifest: Manifest,
  source: { readonly store: KvStore; readonly nodes: NodeReader; readonly signal?: AbortSignal },
): Promise<DoneBefore | undefined> {
  const { store, nodes, signal } = source;
  let oldest: DoneBefore | undefined;
  // A version that was restored later has the same root, and so the same record: the oldest one is meant.
  for await (const version of versionsOf(manifest, nodes, { minGeneration: since + 1n, ...(signal && { signal }) })) {
    const requests = await readRecord(store, version);
    const found = requests?.find(({ id: other }) => other.seq === id.seq && other.client === id.client);
    if (found !== undefined) oldest = { version, applied: found.applied };
  }
  return oldest;
}

async function readRecord(store: KvStore, version: VersionEntry): Promise<CommittedRequest[] | undefined> {
  return (await readBehindRoot(store, version)) ?? (await readBeside(store, version));
}

async function readBehindRoot(
  store: KvStore,
  { root: { location } }: VersionEntry,
): Promise<CommittedRequest[] | undefined> {
  if (location === undefined) return undefined;
  const key = pathToBytes(location.file.basePath + location.file.relativePath);
  const offset = location.offset + location.length;
  const header = await store.read(key, { range: { offset, length: RECORD_HEADER_BYTES } });
  const length = header === undefined ? undefined : recordBodyLength(header.value);
  if (length === undefined) return undefined;
  const record = await store.read(key, { range: { offset, length: RECORD_HEADER_BYTES + length } });
  return record === undefined ? undefined : decodeCommitRecord(record.value);
}

async function readBeside(store: KvStore, version: VersionEntry): Promise<CommittedRequest[] | undefined> {
  const found = await store.read(recordKey(version));
  return found === undefined ? undefined : decodeCommitRecord(found.value);
}
