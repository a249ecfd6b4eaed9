/**
 * Checks of untrusted metadata; each names the member and what it should have been.
 * @module
 */
import { VolumeError } from "../errors.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Where a value stands, for messages: the metadata object and the member's name. */
export interface Where {
  readonly key: string;
  readonly member: string;
}

export function at(key: string, member: string): Where {
  return { key, member };
}

export function asObject(value: unknown, where: Where): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw bad(value, where, "an object");
}

export function asArray(value: unknown, where: Where): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw bad(value, where, "an array");
}

export function asString(value: unknown, where: Where): string {
  if (typeof value === "string") return value;
  throw bad(value, where, "a string");
}

/** `rank` whole numbers of at least `least`. */
export function asShape(value: unknown, where: Where, least: number, rank?: number): readonly number[] {
  const shape = asArray(value, where);
  const good = shape.every((size) => Number.isSafeInteger(size) && (size as number) >= least);
  if (good && (rank === undefined || shape.length === rank)) return shape as readonly number[];
  throw bad(value, where, `${rank === undefined ? "" : `${rank} `}whole numbers of at least ${least}`);
}

export function asOneOf<Choice extends string>(value: unknown, choices: readonly Choice[], where: Where): Choice {
  if (choices.includes(value as Choice)) return value as Choice;
  throw bad(value, where, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
}

export function bad(value: unknown, where: Where, expected: string): VolumeError {
  const shown = value === undefined ? "missing" : `${JSON.stringify(value)?.slice(0, 200)}`;
  return new VolumeError("BAD_METADATA", `"${where.member}" of ${where.key} is ${shown}; expected ${expected}`, {
    key: where.key,
  });
}

export function unsupported(what: string, key: string, supported: string): VolumeError {
  return new VolumeError("UNSUPPORTED", `${what} of ${key} is not supported; supported: ${supported}`, { key });
}
