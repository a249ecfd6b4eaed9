/**
 * Values that were written before the commit was asked for, and are handed in as references: by a transaction with much data, by compaction,
 * by clients of a coordinator. How long ago is not known, so they are looked at before a version refers to them.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import type { IndirectReference } from "../format/types.ts";
import { fileName } from "../io/node-reader.ts";
import type { DatabaseParts, DataFileWriter, NodeReader } from "../parts.ts";
import type { CommitRequest, PointMutation } from "./requests.ts";
import { sweptFiles } from "./swept-files.ts";

export interface HandedInContext {
  readonly store: DatabaseParts["store"];
  readonly nodes: NodeReader;
  readonly uuid: string;
  /** For values whose files a sweep may be about to remove. */
  readonly values: DataFileWriter;
  readonly signal: AbortSignal;
}

/** Values carried over that may wait in memory. */
const PENDING_BYTES = 64 * 2 ** 20;

export function handedInFiles(requests: readonly CommitRequest[]): string[] {
  const files = new Set<string>();
  for (const request of requests) for (const [, { file }] of handedIn(request)) files.add(fileName(file));
  return [...files];
}

function* handedIn({ mutations }: CommitRequest): Generator<[PointMutation, IndirectReference]> {
  for (const point of mutations) {
    if (point.kind === "point" && point.handedIn !== undefined) yield [point, point.handedIn];
  }
}

/**
 * Writes anew what a sweep has seen. @returns the requests whose values are gone, each with the error it is answered with.
 */
export async function keepHandedIn(
  requests: readonly CommitRequest[],
  context: HandedInContext,
): Promise<ReadonlyMap<CommitRequest, OcdbtError>> {
  const { values, nodes, store, signal } = context;
  const lost = new Map<CommitRequest, OcdbtError>();
  const swept = await sweptFiles(handedInFiles(requests), context);
  if (swept.size === 0) return lost;
  for (const request of requests) {
    for (const [point, given] of handedIn(request)) {
      const fate = swept.get(fileName(given.file));
      if (fate === undefined) continue;
      if (fate === "gone") {
        lost.set(request, gone(given, store.url));
        break;
      }
      point.replaceGiven(values.append(await nodes.value(given, { signal }), "value"));
      if (values.pendingBytes > PENDING_BYTES) await values.flush({ signal });
    }
  }
  // Later attempts take them for written.
  await values.flush({ signal });
  return lost;
}

function gone({ file }: IndirectReference, url: string): OcdbtError {
  const name = fileName(file);
  return new OcdbtError(
    "conflict",
    `a value to be committed lies in ${name}, which is not in ${url} (any more): a sweep removes what was written long before the commit that ` +
      "needs it; nothing of this was written, do it again from the beginning",
    { fields: { file: name } },
  );
}
