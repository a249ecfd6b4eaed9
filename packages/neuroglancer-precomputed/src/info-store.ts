/**
 * The `info` of a volume in its store. Writers put it down last, and with a condition when others may write it too.
 * @module
 */
import type { Generation, KvStore } from "@pcg/kvstore";
import { PrecomputedError } from "./errors.ts";
import { encodeInfo, type PrecomputedInfo, parseInfo } from "./info.ts";
import { StoredFiles } from "./stored-files.ts";

/** Largest info we read: thousands of scales. */
const MAX_INFO_BYTES = 16 * 2 ** 20;

/** An info and the version it was read at. */
export interface StoredInfo {
  readonly info: PrecomputedInfo;
  /** Condition for {@link writeInfo}. */
  readonly generation: Generation | null;
}

/** Reads and checks `info`. NOT_FOUND when there is none, INVALID_INFO when it breaks the format. */
export async function readInfo(store: KvStore, options: { readonly signal?: AbortSignal } = {}): Promise<StoredInfo> {
  const file = await new StoredFiles(store).read("info", MAX_INFO_BYTES, options);
  if (file === undefined) {
    throw new PrecomputedError(
      "NOT_FOUND",
      `no "info" under ${store.url}: the address must be the folder that holds it, without the scale; writeInfo creates a volume`,
      { url: store.url },
    );
  }
  return { info: parseInfo(file.bytes), generation: file.generation };
}

/**
 * Writes `info`, checked first, and returns its generation. Write it after the chunks: readers take its word for what is there.
 *
 * @param options.ifGeneration write only over this version (`null`: only where there is none); CONFLICT otherwise
 */
export async function writeInfo(
  store: KvStore,
  info: PrecomputedInfo,
  options: { readonly ifGeneration?: Generation | null; readonly signal?: AbortSignal } = {},
): Promise<Generation> {
  const { written, generation } = await new StoredFiles(store).write("info", encodeInfo(info), options);
  if (!written || generation === null) {
    throw new PrecomputedError(
      "CONFLICT",
      `info of ${store.url} is at generation ${generation}, not ${options.ifGeneration}; read it again and apply the change to that`,
      { key: "info" },
    );
  }
  return generation;
}
