import type { Capabilities } from "../contract.ts";
import type { OpenForTest, TestApi } from "./api.ts";
import { testLists } from "./list.ts";
import { testAgainstModel } from "./model.ts";
import { testReads } from "./read.ts";
import { testConditionalWrites, testHolds, testStaging, testWrites } from "./write.ts";

export type { OpenedStore, OpenForTest, TestApi } from "./api.ts";

export interface TestKvStoreOptions {
  /** What the store must promise; the suites for it run, and the promise itself is checked. */
  readonly capabilities: Capabilities;
  /** Whether the store has `hold`, and gives one for any key. */
  readonly holds?: true;
  /** Whether the store has `stage`, and stages values of any key. */
  readonly stages?: true;
  /** Whether keys may be any bytes. Without it, keys in the suites are paths of which none is a folder of another. */
  readonly anyKeys?: true;
  /** Seeds of the random runs; three unless told. */
  readonly seeds?: readonly number[];
  /** Operations per random run; 150 unless told. */
  readonly steps?: number;
}

const pathKeys = ["a/1", "a/2", "a/2.x", "a/3/p/q", "a/3/r", "b", "b.c", "b0", "c/ü", "c/日本"];
const anyKeys = [
  ...pathKeys,
  "",
  "a",
  "a/",
  "/",
  "//",
  "..",
  Uint8Array.of(0),
  Uint8Array.of(0, 0),
  Uint8Array.of(0xff),
  Uint8Array.of(0xff, 0xff, 0xfe),
  Uint8Array.of(0x61, 0xff),
];

/**
 * Declares the tests of the contract for one store.
 *
 * @example testKvStore("memory", async () => ({ store: memoryKvStore() }), { describe, test, expect }, { capabilities })
 */
export function testKvStore(name: string, open: OpenForTest, api: TestApi, options: TestKvStoreOptions): void {
  const { capabilities } = options;
  api.describe(`${name} as a KvStore`, () => {
    api.test("promises what it is said to promise", async () => {
      const { store, cleanup } = await open(new Map());
      try {
        api.expect(store.capabilities).toEqual(capabilities);
        api.expect(typeof store.url).toBe("string");
      } finally {
        await store.close();
        await cleanup?.();
      }
    });
    testReads(open, api);
    if (capabilities.writable) testWrites(open, api);
    if (capabilities.writable && capabilities.conditionalWrites) testConditionalWrites(open, api);
    if (options.holds) testHolds(open, api);
    if (options.stages) testStaging(open, api);
    if (capabilities.list) testLists(open, api);
    if (capabilities.writable && capabilities.conditionalWrites && capabilities.list) {
      testAgainstModel(open, api, {
        seeds: options.seeds ?? [1, 2, 3],
        steps: options.steps ?? 150,
        keys: options.anyKeys ? anyKeys : pathKeys,
      });
    }
  });
}
