/**
 * Checks of single members of `info`, each throwing an error that names the member, its value and the limit.
 * @module
 */
import type { Xyz } from "./chunk-grid.ts";
import { PrecomputedError } from "./errors.ts";

export type JsonObject = { readonly [member: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fail(path: string, value: unknown, problem: string): never {
  throw new PrecomputedError("INVALID_INFO", `info${path === "" ? "" : `: ${path}`} ${problem}; it is ${show(value)}`, {
    path,
    value,
  });
}

/** The member `name` of `object`, which lies at `path`; absent is an error. */
export function member(object: JsonObject, name: string, path = ""): unknown {
  const value = object[name];
  const full = path === "" ? name : `${path}.${name}`;
  if (value === undefined) throw new PrecomputedError("INVALID_INFO", `info: ${full} is missing`, { path: full });
  return value;
}

export function oneOf<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) fail(path, value, `must be one of ${allowed.map((a) => `"${a}"`).join(", ")}`);
  return value as T;
}

export function integer(value: unknown, path: string, low: number, high: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
    fail(path, value, `must be an integer from ${low} to ${high}`);
  }
  return value;
}

/** Three integers that numbers hold exactly, none below `low`. */
export function triple(value: unknown, path: string, low: number = Number.MIN_SAFE_INTEGER): Xyz {
  const good = Array.isArray(value) && value.length === 3 && value.every((n) => Number.isSafeInteger(n) && n >= low);
  if (!good) {
    fail(
      path,
      value,
      `must be three integers [x, y, z]${low > Number.MIN_SAFE_INTEGER ? `, none below ${low}` : ""}, below 2^53`,
    );
  }
  // JSON can say -0, which would end up in chunk names.
  return [value[0] + 0, value[1] + 0, value[2] + 0];
}

/** Three finite numbers above 0. */
export function numberTriple(value: unknown, path: string): Xyz {
  const good = Array.isArray(value) && value.length === 3 && value.every((n) => Number.isFinite(n) && n > 0);
  if (!good) fail(path, value, "must be three numbers [x, y, z] above 0");
  return [value[0], value[1], value[2]];
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
