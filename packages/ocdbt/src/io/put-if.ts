/**
 * A conditional write whose outcome is never guessed: when the answer is lost, or cannot be right, the key is looked at.
 * @module
 */
import { type Generation, isKvStoreError, type KvStore, type ReadResult, type WriteOptions } from "@pcg/kvstore";
import { backOff, MAX_TRIES, retryTransient } from "./pause.ts";

export type PutOutcome =
  | { readonly kind: "written"; readonly generation: Generation; readonly recovered: boolean }
  /** The condition does not hold, and something else is there. */
  | { readonly kind: "other"; readonly found: ReadResult | undefined }
  | { readonly kind: "unknown"; readonly error: unknown };

/**
 * Writes `bytes` if the key still has a generation (`null`: if it is absent). Finding these very bytes counts as having written
 * them, so they must be such that nobody else writes the same, or it does not matter who did.
 */
export async function putIf(
  store: KvStore,
  key: string | Uint8Array,
  bytes: Uint8Array,
  expected: Generation | null,
  options: Omit<WriteOptions, "ifGeneration"> = {},
): Promise<PutOutcome> {
  const { signal } = options;
  const aside = signal === undefined ? {} : { signal };
  let ifGeneration = expected;
  for (let send = 1; ; send++) {
    let failure: unknown;
    try {
      const result = await store.write(key, bytes, { ...options, ifGeneration });
      if (result.written) return { kind: "written", generation: result.generation!, recovered: false };
    } catch (error) {
      if (!isKvStoreError(error, "transient", "ambiguous")) throw error;
      failure = error;
    }
    let found: ReadResult | undefined;
    try {
      found = await retryTransient(() => store.read(key, aside), signal);
    } catch (error) {
      if (failure === undefined) throw error;
      return { kind: "unknown", error };
    }
    if (found !== undefined && equal(found.value, bytes)) {
      return { kind: "written", generation: found.generation, recovered: true };
    }
    // A store that is not atomic broke off in the middle of our write.
    const isStump = failure !== undefined && found !== undefined && beginsWith(bytes, found.value);
    // Sent again under the same condition, at most one of the requests can succeed.
    const isUntouched = failure !== undefined && (found?.generation ?? null) === ifGeneration;
    if (!isStump && !isUntouched) return { kind: "other", found };
    if (isStump) ifGeneration = found!.generation;
    if (send === MAX_TRIES) return { kind: "unknown", error: failure };
    await backOff(send, signal);
  }
}

function beginsWith(whole: Uint8Array, part: Uint8Array): boolean {
  return part.length < whole.length && equal(part, whole.subarray(0, part.length));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
