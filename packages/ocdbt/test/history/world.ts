/** Databases with tiny nodes, so that few keys make deep trees and version trees. */
import { type FaultOperation, type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import type { OcdbtDatabase, VersionSpec } from "../../src/contract.ts";
import { openOcdbt } from "../../src/open.ts";
import type { OpenOptions } from "../../src/open-options.ts";

export const tiny: NonNullable<OpenOptions["config"]> = {
  maxInlineValueBytes: 4,
  maxDecodedNodeBytes: 250,
  versionTreeArityLog2: 1,
  compression: null,
};

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);

export async function tinyDatabase(
  store: KvStore = memoryKvStore(),
  options: OpenOptions = {},
): Promise<OcdbtDatabase> {
  return await openOcdbt(store, { create: true, config: tiny, ...options });
}

/** One version; `null` deletes. */
export async function put(
  db: OcdbtDatabase,
  entries: Readonly<Record<string, string | null>>,
  options: { readonly message?: string; readonly author?: string } = {},
): Promise<bigint> {
  const receipt = await db.apply(
    Object.entries(entries).map(([key, value]) =>
      value === null
        ? { op: "delete" as const, key: bytes(key) }
        : { op: "put" as const, key: bytes(key), value: bytes(value) },
    ),
    options,
  );
  return (receipt.head ?? (await db.head()))!.generation;
}

export async function contents(db: OcdbtDatabase, version?: VersionSpec): Promise<Record<string, string>> {
  const view = version === undefined ? db : await db.at(version);
  const found: Record<string, string> = {};
  for await (const { key } of view.list()) found[text(key)!] = text((await view.read(key))!.value)!;
  return found;
}

/** A store that records what is asked of it. */
export function recorded(store: KvStore): { store: KvStore; calls: FaultOperation[] } {
  const calls: FaultOperation[] = [];
  return {
    calls,
    store: withFaults(store, (operation) => {
      calls.push(operation);
      return undefined;
    }),
  };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
