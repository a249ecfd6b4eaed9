import type { KvStore } from "@pcg/kvstore";
import { VolumeError } from "../errors.ts";
import { parseExactJson } from "./exact-json.ts";

/** Largest metadata object that is parsed; real ones have kilobytes, consolidated ones megabytes. */
const maxJsonBytes = 2 ** 26;

/** The JSON value stored under a key, its big integers as strings of digits; `undefined` when there is none. */
export async function readJson(store: KvStore, key: string, signal: AbortSignal | undefined): Promise<unknown> {
  const stored = await store.read(key, { ...(signal && { signal }) });
  if (stored === undefined) return undefined;
  const { length } = stored.value;
  const details = { url: store.url, key };
  if (length > maxJsonBytes) {
    throw new VolumeError("TOO_LARGE", `${key} has ${length} bytes; metadata may have ${maxJsonBytes}`, details);
  }
  try {
    return parseExactJson(new TextDecoder("utf-8", { fatal: true }).decode(stored.value));
  } catch (cause) {
    throw new VolumeError("BAD_METADATA", `${key} in ${store.url} is no JSON: ${(cause as Error).message}`, {
      ...details,
      cause,
    });
  }
}
