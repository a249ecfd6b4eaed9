/**
 * What every row store must do, as tests: the contract in readable cases, then random programs compared with a model.
 * Engines, also other people's, run it from their own test files.
 * @module
 */
import type { Clock } from "./clock.ts";
import type { OpenStore, TestApi } from "./conformance/api.ts";
import { testConcurrency } from "./conformance/concurrency.ts";
import { testModel } from "./conformance/model.ts";
import { testReads } from "./conformance/reads.ts";
import { testRefusals } from "./conformance/refusals.ts";
import { testWrites } from "./conformance/writes.ts";
import { memoryRowStore } from "./memory.ts";

export type { Expectation, OpenStore, TestApi } from "./conformance/api.ts";

export interface ConformanceOptions {
  /** Random programs per property; default 100. */
  readonly runs?: number;
  /** What the random programs are compared with; default: the in-memory engine. */
  readonly openModel?: OpenStore;
}

/**
 * Defines the suite for one engine.
 *
 * @example
 * ```ts
 * import { describe, expect, test } from "vitest";
 * testRowStore("mine", async (clock) => openMine({ clock }), { describe, expect, test });
 * ```
 */
export function testRowStore(name: string, open: OpenStore, api: TestApi, options: ConformanceOptions = {}): void {
  const { runs = 100, openModel = async (clock: Clock) => memoryRowStore({ clock }) } = options;
  api.describe(`${name}: contract of a row store`, () => {
    testReads(open, api);
    testWrites(open, api);
    testRefusals(open, api);
  });
  api.describe(`${name}: random programs`, () => {
    testModel(open, openModel, api, runs);
    testConcurrency(open, api, runs);
  });
}
