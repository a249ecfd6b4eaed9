import { compareKeys, type KvStore } from "@pcg/kvstore";
import { expect } from "vitest";
import type { Mutation, OcdbtDatabase } from "../../src/index.ts";

/** What a version holds: values by key, both a character a byte. */
export type Contents = ReadonlyMap<string, string>;

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

/** The contents after mutations without conditions. */
export function applied(contents: Contents, mutations: readonly Mutation[]): Map<string, string> {
  const next = new Map(contents);
  for (const mutation of mutations) {
    if (mutation.op === "put") next.set(latin1(mutation.key), latin1(mutation.value as Uint8Array));
    else if (mutation.op === "delete") next.delete(latin1(mutation.key));
    else {
      const { start, end } = mutation;
      for (const key of next.keys()) {
        const bytes = bytesOf(key);
        if (compareKeys(bytes, start) >= 0 && (end === undefined || compareKeys(bytes, end) < 0)) next.delete(key);
      }
    }
  }
  return next;
}

/** Everything a store holds, by listing and then reading each key. */
export async function contentsOf(store: KvStore): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, size } of store.list()) {
    const result = await store.read(key);
    expect(result?.value.length).toBe(size);
    found.set(latin1(key), latin1(result!.value));
  }
  return found;
}

/** In key order, so that differences can be read. */
export function sorted(contents: Contents): [string, string][] {
  return [...contents].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Every version of the database is as it was when it was made. */
export async function expectVersions(db: OcdbtDatabase, versions: ReadonlyMap<bigint, Contents>): Promise<void> {
  for (const [generation, contents] of versions) {
    const view = await db.at({ generation });
    expect(sorted(await contentsOf(view)), `generation ${generation}`).toEqual(sorted(contents));
  }
}
