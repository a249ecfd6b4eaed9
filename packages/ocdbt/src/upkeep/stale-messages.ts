/**
 * Messages of versions that have expired or never came to be: small files beside the database that nothing asks for any more.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { bytesToPath } from "../format/index.ts";
import { messageGeneration, messageKey } from "../history/messages.ts";
import { versionsOf } from "../history/versions.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Keys of all messages, with their generations. */
export async function listMessages({ parts }: OcdbtDatabase, { signal }: Cancel): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  for await (const { key } of parts.store.list({ prefix: "refs/log/", ...(signal && { signal }) })) {
    const path = bytesToPath(key);
    const generation = messageGeneration(path);
    if (generation !== undefined) found.set(path, generation);
  }
  return found;
}

/**
 * Those of `messages`, which were listed before, whose versions are gone or never were. A message is there before its version; but once there is a
 * version of its generation or a later one, its own is in the manifest, or can never come into it.
 */
export async function staleMessages(
  { parts }: OcdbtDatabase,
  messages: ReadonlyMap<string, bigint>,
  { signal }: Cancel,
): Promise<string[]> {
  if (messages.size === 0) return [];
  const stored = await parts.manifests.read({ maxStalenessMs: 0, ...(signal && { signal }) });
  if (stored === undefined) return [];
  const stale = new Map(messages);
  for await (const version of versionsOf(stored.manifest, parts.nodes, { ...(signal && { signal }) })) {
    stale.delete(messageKey("refs/", version));
  }
  const newest = stored.manifest.versions.at(-1)?.generation ?? 0n;
  return [...stale].filter(([, generation]) => generation <= newest).map(([path]) => path);
}
