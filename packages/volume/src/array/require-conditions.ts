import type { KvStore } from "@pcg/kvstore";
import { VolumeError } from "../errors.ts";

/** Throws `UNSUPPORTED` unless the store can write under a condition; without, a part of a chunk could undo another's. */
export function requireConditions(store: KvStore): void {
  if (store.capabilities.conditionalWrites === true) return;
  throw new VolumeError(
    "UNSUPPORTED",
    `${store.url} has no conditional writes, which a write of parts of chunks or shards needs; write whole chunks (\`writeSize\`)`,
    { url: store.url },
  );
}

/** Throws `READ_ONLY` unless the store can be written at all. */
export function requireWritable(store: KvStore): void {
  if (store.capabilities.writable === true) return;
  throw new VolumeError("READ_ONLY", `${store.url} can only be read; open the volume without \`writable\``, {
    url: store.url,
  });
}
