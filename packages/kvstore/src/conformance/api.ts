/**
 * What the suites need from a test framework and from a driver.
 * @module
 */
import type { Key, KvStore, ListEntry, ListOptions } from "../contract.ts";
import { printKey } from "../keys.ts";

/** The part of vitest's API that the suites use. */
export interface TestApi {
  readonly describe: (name: string, define: () => void) => void;
  readonly test: (name: string, run: () => Promise<void>) => void;
  readonly expect: (actual: unknown, message?: string) => Expectation;
}

export interface Expectation {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toBeUndefined(): void;
  toMatchObject(expected: object): void;
  readonly not: { toBe(expected: unknown): void };
  readonly rejects: { toBe(expected: unknown): Promise<void>; toThrow(expected?: unknown): Promise<void> };
}

export interface OpenedStore {
  readonly store: KvStore;
  /** Removes what was made for the test; the suites close the store. */
  readonly cleanup?: () => Promise<void>;
}

/** Opens a store of its own for one test. A store that cannot be written must hold exactly `contents`; others must be empty. */
export type OpenForTest = (contents: ReadonlyMap<string, Uint8Array>) => Promise<OpenedStore>;

/** Runs `use` on a store that holds `contents`. */
export async function withStore(
  open: OpenForTest,
  contents: Readonly<Record<string, Uint8Array>>,
  use: (store: KvStore) => Promise<void>,
): Promise<void> {
  const opened = await open(new Map(Object.entries(contents)));
  try {
    if (opened.store.capabilities.writable) {
      for (const [key, value] of Object.entries(contents)) await opened.store.write(key, value);
    }
    await use(opened.store);
  } finally {
    await opened.store.close();
    await opened.cleanup?.();
  }
}

/** The keys of a list, printable. */
export async function listed(store: KvStore, options?: ListOptions): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(options)) keys.push(printKey(key));
  return keys;
}

/** All entries of a list. */
export async function collect(list: AsyncIterable<ListEntry>): Promise<ListEntry[]> {
  const entries: ListEntry[] = [];
  for await (const entry of list) entries.push(entry);
  return entries;
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The whole value as text, or `undefined`. */
export async function textAt(store: KvStore, key: Key): Promise<string | undefined> {
  const found = await store.read(key);
  return found === undefined ? undefined : new TextDecoder().decode(found.value);
}
