/**
 * Marks what a whole family of databases needs.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { createNodeReader } from "../io/node-reader.ts";
import { Semaphore } from "../io/semaphore.ts";
import { type FamilyOptions, familyOf } from "./family.ts";
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
  const { signal, onProgress } = options;
  const reach = new Reach();
  const names = new Map<string | undefined, NameFile>();
  const onNode = (): void => {
    if (reach.nodes % 256 === 0) onProgress?.({ phase: "reading versions", done: reach.nodes });
  };
  for await (const member of familyOf(root, options)) {
    try {
      names.set(member.registration?.uuid, member.physical);
      const requests = new Semaphore(REQUESTS);
      const nodes = createNodeReader(member.store, { cacheBytes: NODE_CACHE_BYTES, requests });
      for (const { manifest, error } of await storedManifests(member.store, signal)) {
        if (error !== undefined) throw error;
        await reach.mark(manifest, nodes, member.physical, { onNode, ...(signal && { signal }) });
      }
    } finally {
      await member.close();
    }
  }
  return { reach, names };
}
