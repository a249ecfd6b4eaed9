/**
 * Which of the requests that wait may be committed on the manifest at hand: not those that a version holds already, nor those
 * of a committer that has lost its lease.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { CommitReceipt, Head } from "../contract.ts";
import { encodeCommitRecord } from "../coordinator/commit-record.ts";
import { type DoneRequests, recordKey, requestsDoneSince } from "../coordinator/done-before.ts";
import { requestName } from "../coordinator/request-id.ts";
import { isOcdbtError } from "../errors.ts";
import type { BtreeNodeReference, Manifest, VersionEntry } from "../format/types.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";
import { findKey } from "../view/find.ts";
import { generationOf, valueAt } from "../view/generation.ts";
import type { Verdict } from "./evaluate.ts";
import type { CommitRequest } from "./requests.ts";

interface Source {
  readonly store: KvStore;
  readonly nodes: NodeReader;
  readonly signal: AbortSignal;
}

/** The answer to a request that is not committed now. */
export type Settlement = { readonly receipt: CommitReceipt } | { readonly error: unknown };

export interface Admission {
  readonly admitted: readonly CommitRequest[];
  readonly settled: ReadonlyMap<CommitRequest, Settlement>;
}

export async function admit(
  requests: readonly CommitRequest[],
  manifest: Manifest | undefined,
  source: Source,
): Promise<Admission> {
  const settled = new Map<CommitRequest, Settlement>();
  const rights = new Map<() => Promise<void>, Promise<unknown>>();
  const done = await lookForDone(requests, manifest, source);
  await Promise.all(
    requests.map(async (request) => {
      if ("error" in done) {
        if (isSentBefore(request)) {
          settled.set(request, done);
          return;
        }
      } else {
        const receipt = await receiptOfDone(request, done.done, source);
        if (receipt !== undefined) {
          settled.set(request, { receipt });
          return;
        }
      }
      const { mayCommit } = request.options;
      if (mayCommit === undefined) return;
      // Requests of one committer share one look at its lease.
      let right = rights.get(mayCommit);
      if (right === undefined) {
        right = mayCommit().then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        rights.set(mayCommit, right);
      }
      const refusal = (await right) as { readonly error: unknown } | undefined;
      if (refusal !== undefined) settled.set(request, refusal);
    }),
  );
  return { admitted: requests.filter((request) => !settled.has(request)), settled };
}

/** The record of the requests that are about to be written; `undefined` when none of them has a name. */
export function recordOf(verdicts: ReadonlyMap<CommitRequest, Verdict>): Uint8Array | undefined {
  const named = [...verdicts].flatMap(([{ options }, verdict]) =>
    options.request !== undefined && verdict.kind === "decided" && verdict.writes
      ? [{ id: options.request.id, applied: verdict.applied }]
      : [],
  );
  return named.length === 0 ? undefined : encodeCommitRecord(named);
}

/** Puts a record right behind a root that was just appended. @returns whether it is there */
export function appendRecord(record: Uint8Array, root: BtreeNodeReference, writer: DataFileWriter): boolean {
  if (root.location === undefined) return false;
  const { file, offset, length } = root.location;
  const place = writer.append(record, "btree");
  return place.file.relativePath === file.relativePath && place.offset === offset + length;
}

/** Keeps a record where it counts for exactly this version, durably. */
export async function writeRecordBeside(record: Uint8Array, version: VersionEntry, source: Source): Promise<void> {
  await source.store.write(recordKey(version), record, { signal: source.signal });
}

/** Looks at the versions since the first of the requests that were sent before, if there are any; there are few. */
async function lookForDone(
  requests: readonly CommitRequest[],
  manifest: Manifest | undefined,
  source: Source,
): Promise<{ readonly done: DoneRequests } | { readonly error: unknown }> {
  let since: bigint | undefined;
  for (const { options } of requests.filter(isSentBefore)) {
    const own = options.request!.since;
    if (since === undefined || own < since) since = own;
  }
  if (since === undefined || manifest === undefined) return { done: new Map() };
  try {
    return { done: await requestsDoneSince(since, manifest, source) };
  } catch (error) {
    if (!isOcdbtError(error, "ambiguous")) throw error;
    return { error };
  }
}

function isSentBefore({ options }: CommitRequest): boolean {
  return options.request?.sentBefore === true;
}

async function receiptOfDone(
  { options, mutations }: CommitRequest,
  requests: DoneRequests,
  source: Source,
): Promise<CommitReceipt | undefined> {
  const done = options.request === undefined ? undefined : requests.get(requestName(options.request.id));
  if (done === undefined) return undefined;
  const { generation, commitTime, root } = done.version;
  const head: Head = { generation, commitTime };
  const generations: (string | null)[] = [];
  for (const mutation of mutations) {
    const found = mutation.kind === "range" ? undefined : await findKey(root, mutation.key, source.nodes, source);
    generations.push(found === undefined ? null : generationOf(valueAt(found.leaf, found.index)));
  }
  return { head, applied: done.applied, generations };
}
