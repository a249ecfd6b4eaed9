/**
 * Which of the requests that wait may be committed on the manifest at hand: not those that a version holds already, nor those
 * of a committer that has lost its lease.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { CommitReceipt, Head } from "../contract.ts";
import { encodeCommitRecord } from "../coordinator/commit-record.ts";
import { findDone, recordKey } from "../coordinator/done-before.ts";
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
  await Promise.all(
    requests.map(async (request) => {
      const receipt = await receiptOfDone(request, manifest, source);
      if (receipt !== undefined) {
        settled.set(request, { receipt });
        return;
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

async function receiptOfDone(
  { options, mutations }: CommitRequest,
  manifest: Manifest | undefined,
  source: Source,
): Promise<CommitReceipt | undefined> {
  const { request } = options;
  if (request === undefined || !request.sentBefore || manifest === undefined) return undefined;
  const done = await findDone(request, manifest, source);
  if (done === undefined) return undefined;
  const { generation, commitTime, root } = done.version;
  const head: Head = { generation, commitTime };
  const generations = await Promise.all(
    mutations.map(async (mutation) => {
      if (mutation.kind === "range") return null;
      const found = await findKey(root, mutation.key, source.nodes, source);
      return found === undefined ? null : generationOf(valueAt(found.leaf, found.index));
    }),
  );
  return { head, applied: done.applied, generations };
}
