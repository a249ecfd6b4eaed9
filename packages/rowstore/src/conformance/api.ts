/**
 * What the suite needs from whoever runs it.
 * @module
 */
import type { Clock } from "../clock.ts";
import type { RowStore } from "../contract.ts";

/** The part of a test runner that the suite uses; vitest's fits. */
export interface TestApi {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>, timeoutMs?: number): unknown;
  expect(value: unknown): Expectation;
}

export interface Expectation {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  readonly rejects: { toMatchObject(expected: object): Promise<void> };
}

/** Opens an empty store whose `now()` is the clock given. */
export type OpenStore = (clock: Clock) => Promise<RowStore>;
