/**
 * Messages of versions that have expired: small files beside the database that nothing asks for any more.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { bytesToPath } from "../format/index.ts";
import { versionsOf } from "../history/versions.ts";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Keys of all messages, by generation. */
export async function listMessages({ parts }: OcdbtDatabase, { signal }: Cancel): Promise<Map<bigint, string>> {
  const found = new Map<bigint, string>();
  for await (const { key } of parts.store.list({ prefix: "refs/log/", ...(signal && { signal }) })) {
    const path = bytesToPath(key);
    const digits = /^refs\/log\/([0-9a-f]{16})\.json$/.exec(path)?.[1];
    if (digits !== undefined) found.set(BigInt(`0x${digits}`), path);
  }
  return found;
}

/**
 * Those of `messages`, which were listed before, whose versions are gone. A message is written after its version, so one that is listed
 * has its version in the manifest by now, or never will again.
 */
export async function staleMessages(
  { parts }: OcdbtDatabase,
  messages: ReadonlyMap<bigint, string>,
  { signal }: Cancel,
): Promise<string[]> {
  if (messages.size === 0) return [];
  const stored = await parts.manifests.read({ maxStalenessMs: 0, ...(signal && { signal }) });
  if (stored === undefined) return [];
  const stale = new Map(messages);
  for await (const { generation } of versionsOf(stored.manifest, parts.nodes, { ...(signal && { signal }) })) {
    stale.delete(generation);
  }
  const newest = stored.manifest.versions.at(-1)?.generation ?? 0n;
  return [...stale].filter(([generation]) => generation <= newest).map(([, path]) => path);
}
