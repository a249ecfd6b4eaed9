/**
 * Marks what a whole family of databases needs: the one rule for `sweep`, which removes the rest, and for `fsck`, which names it.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { DEFAULT_DECODE_BYTES, DecodeBudget } from "../io/decode-budget.ts";
import { createNodeReader } from "../io/node-reader.ts";
import { Semaphore } from "../io/semaphore.ts";
import type { NodeReader } from "../parts.ts";
import { type FamilyOptions, familyOf, type Member } from "./family.ts";
import type { UpkeepOptions } from "./progress.ts";
import { type NameFile, Reach } from "./reach.ts";
import { storedManifests } from "./stored-manifests.ts";

const NODE_CACHE_BYTES = 16 * 2 ** 20;
const REQUESTS = 16;

export interface MarkedFamily {
  readonly reach: Reach;
  /** How each member's files are called, by the uuid of forks; `undefined` for the root. */
  readonly names: ReadonlyMap<string | undefined, NameFile>;
}

/** @throws `OcdbtError` `unsafe`, `corrupt`, `not-found` when it cannot be told what somebody needs */
export async function markFamily(root: KvStore, options: UpkeepOptions & FamilyOptions): Promise<MarkedFamily> {
  const reach = new Reach();
  const names = new Map<string | undefined, NameFile>();
  for await (const member of familyOf(root, options)) {
    names.set(member.registration?.uuid, member.physical);
    await markMember(member, reach, options);
  }
  return { reach, names };
}

/** Reads nodes once each, which need not be kept. */
export function markingReader(store: KvStore): NodeReader {
  return createNodeReader(store, {
    cacheBytes: NODE_CACHE_BYTES,
    requests: new Semaphore(REQUESTS),
    budget: new DecodeBudget(DEFAULT_DECODE_BYTES),
  });
}

export interface MarkMemberOptions extends UpkeepOptions {
  /** Is told the files that are needed by what was not marked before, as the member calls them. */
  readonly onFile?: (path: string) => void;
  /** Is told what cannot be read, and of which manifest; the marking then goes on without it. */
  readonly onError?: (error: unknown, manifestKey: string) => void;
}

/**
 * Marks what a member needs: of a numbered database what any numbered manifest that is there leads to, since readers may just have listed it.
 *
 * @throws `OcdbtError` when something of it cannot be read and there is no `onError`
 */
export async function markMember(
  { store, physical }: Member,
  reach: Reach,
  { signal, onProgress, onFile, onError }: MarkMemberOptions,
): Promise<void> {
  const nodes = markingReader(store);
  const onNode = (): void => {
    if (reach.nodes % 256 === 0) onProgress?.({ phase: "reading versions", done: reach.nodes });
  };
  for (const { key, manifest, error } of await storedManifests(store, signal)) {
    const tell = onError && ((problem: unknown): void => onError(problem, key));
    if (manifest !== undefined) {
      await reach.mark(manifest, nodes, physical, {
        onNode,
        ...(onFile && { onFile }),
        ...(tell && { onError: tell }),
        ...(signal && { signal }),
      });
    } else if (tell === undefined) throw error;
    else tell(error);
  }
}
