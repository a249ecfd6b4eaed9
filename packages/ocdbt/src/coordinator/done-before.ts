/**
 * Which requests that were sent before are in a version already.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { bytesToPath, pathToBytes } from "../format/index.ts";
import type { Manifest, VersionEntry } from "../format/types.ts";
import { versionsOf } from "../history/versions.ts";
import type { NodeReader } from "../parts.ts";
import { type CommittedRequest, decodeCommitRecord, RECORD_HEADER_BYTES, recordBodyLength } from "./commit-record.ts";
import { requestName } from "./request-id.ts";

const RECORDS = "coordinator/records/";
/** ns. */
const DAY = 86_400_000_000_000n;
/** Versions whose records are read at a time. */
const READS = 16;

export interface DoneBefore {
  readonly version: VersionEntry;
  readonly applied: readonly boolean[];
}

/** By name of the request. */
export type DoneRequests = ReadonlyMap<string, DoneBefore>;

interface Source {
  readonly store: KvStore;
  readonly nodes: NodeReader;
  readonly signal?: AbortSignal;
}

/**
 * Where a record is that cannot stand behind a root node: the tree is empty, or its file was full. Written before the
 * manifest; it counts for the version with exactly this generation and time, so that one written in vain counts for none.
 */
export function recordKey({ generation, commitTime }: Pick<VersionEntry, "generation" | "commitTime">): string {
  return `${RECORDS}${generation.toString(16).padStart(16, "0")}-${commitTime.toString(16).padStart(16, "0")}`;
}

/** Removes records of requests that nobody can send again: their clients gave up within minutes. */
export async function removeOldRecords(store: KvStore, newest: VersionEntry, signal: AbortSignal): Promise<void> {
  if (!store.capabilities.list) return;
  for await (const { key } of store.list({ prefix: RECORDS, signal })) {
    const time = /^[0-9a-f]{16}-([0-9a-f]{16})$/.exec(bytesToPath(key).slice(RECORDS.length))?.[1];
    if (time !== undefined && BigInt(`0x${time}`) + DAY < newest.commitTime) await store.write(key, null, { signal });
  }
}

/** What the versions after `since` say they hold. */
export async function requestsDoneSince(since: bigint, manifest: Manifest, source: Source): Promise<DoneRequests> {
  const versions: VersionEntry[] = [];
  const range = { minGeneration: since + 1n, ...(source.signal && { signal: source.signal }) };
  for await (const version of versionsOf(manifest, source.nodes, range)) versions.push(version);
  const expected = (manifest.versions.at(-1)?.generation ?? 0n) - since;
  if (BigInt(versions.length) < expected) throw expired(since, expected - BigInt(versions.length), source.store.url);
  const done = new Map<string, DoneBefore>();
  for (let start = 0; start < versions.length; start += READS) {
    const some = versions.slice(start, start + READS);
    const records = await Promise.all(some.map((version) => readRecord(version, source)));
    for (const [i, record] of records.entries()) {
      // A version that was restored later has the same root, and so the same record: the oldest one is meant, which comes last.
      for (const { id, applied } of record ?? []) done.set(requestName(id), { version: some[i]!, applied });
    }
  }
  return done;
}

async function readRecord(version: VersionEntry, source: Source): Promise<CommittedRequest[] | undefined> {
  return (await readBehindRoot(version, source)) ?? (await readBeside(version, source));
}

async function readBehindRoot(
  { root: { location } }: VersionEntry,
  { store, signal }: Source,
): Promise<CommittedRequest[] | undefined> {
  if (location === undefined) return undefined;
  const aside = signal === undefined ? {} : { signal };
  const key = pathToBytes(location.file.basePath + location.file.relativePath);
  const offset = location.offset + location.length;
  const header = await store.read(key, { range: { offset, length: RECORD_HEADER_BYTES }, ...aside });
  const length = header === undefined ? undefined : recordBodyLength(header.value);
  if (length === undefined) return undefined;
  const record = await store.read(key, { range: { offset, length: RECORD_HEADER_BYTES + length }, ...aside });
  return record === undefined ? undefined : decodeCommitRecord(record.value);
}

async function readBeside(version: VersionEntry, { store, signal }: Source): Promise<CommittedRequest[] | undefined> {
  const found = await store.read(recordKey(version), signal === undefined ? {} : { signal });
  return found === undefined ? undefined : decodeCommitRecord(found.value);
}

function expired(since: bigint, missing: bigint, url: string): OcdbtError {
  return new OcdbtError(
    "ambiguous",
    `whether a commit was made in ${url} cannot be told: ${missing} of the versions after generation ${since} have expired; ` +
      "look for it before doing it again",
    { fields: { url, since, missing } },
  );
}
