/**
 * Query parameters of the API. Parameters a route does not know are ignored, as clients send some of their own.
 * @module
 */

import { z } from "@hono/zod-openapi";
import type { Time } from "@pcg/chunkedgraph";
import type { Box } from "@pcg/volume";

const SECONDS = /^([0-9]{1,15})(?:\.([0-9]*))?$/;
const BOUNDS_AXIS = "(-?[0-9]+(?:\\.[0-9]+)?)-(-?[0-9]+(?:\\.[0-9]+)?)";
const BOUNDS = new RegExp(`^${BOUNDS_AXIS}_${BOUNDS_AXIS}_${BOUNDS_AXIS}$`);

/** `True`, `true`, `1` or their opposites in any case; absent is false. */
export const flag = z
  .string()
  .optional()
  .transform((text, context): boolean => {
    switch (text?.toLowerCase()) {
      case "true":
      case "1":
        return true;
      case undefined:
      case "":
      case "false":
      case "0":
        return false;
    }
    context.addIssue(`"${text}" is neither true nor false`);
    return z.NEVER;
  })
  .openapi({ type: "boolean" });

/** Unix seconds with an optional fraction. */
export const time = z
  .string()
  .optional()
  .transform((text, context): Time | undefined => {
    if (text === undefined) return undefined;
    const parsed = parseSeconds(text);
    if (parsed !== undefined) return parsed;
    context.addIssue(`"${text}" is no time; give seconds since 1970, e.g. 1767225600.25`);
    return z.NEVER;
  })
  .openapi({ type: "number", description: "seconds since 1970, fractions allowed; a time to come means now" });

/** `x0-x1_y0-y1_z0-z1`: half-open box in voxels. */
export const bounds = z
  .string()
  .optional()
  .transform((text, context): Box | undefined => {
    if (text === undefined) return undefined;
    const parsed = parseBounds(text);
    if (parsed !== undefined) return parsed;
    context.addIssue(`"${text}" is no box; give x0-x1_y0-y1_z0-z1 in voxels, each begin ≤ end`);
    return z.NEVER;
  })
  .openapi({ type: "string", description: "half-open box in voxels: x0-x1_y0-y1_z0-z1" });

/** A whole number in [low, high]; absent is `undefined`. */
export function integer(low: number, high: number): z.ZodType<number | undefined, string | undefined> {
  return z
    .string()
    .optional()
    .transform((text, context): number | undefined => {
      if (text === undefined) return undefined;
      const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (value >= low && value <= high) return value;
      context.addIssue(`"${text}" is no whole number from ${low} to ${high}`);
      return z.NEVER;
    })
    .openapi({ type: "integer", minimum: low, maximum: high });
}

/**
 * Microseconds of decimal seconds, rounded to the nearest: a double only holds them to ±0.24 µs, so cutting off would
 * miss the moment that was meant. `undefined` when the text is no such number.
 */
export function parseSeconds(text: string): Time | undefined {
  const match = SECONDS.exec(text);
  if (match === null) return undefined;
  const fraction = (match[2] ?? "").padEnd(7, "0");
  const rounded = BigInt(fraction.slice(0, 6)) + (fraction.charCodeAt(6) >= 0x35 ? 1n : 0n);
  return BigInt(match[1]!) * 1_000_000n + rounded;
}

function parseBounds(text: string): Box | undefined {
  const match = BOUNDS.exec(text);
  if (match === null) return undefined;
  const number = (group: number): number => Number(match[group]);
  const begin = [Math.floor(number(1)), Math.floor(number(3)), Math.floor(number(5))] as const;
  const end = [Math.ceil(number(2)), Math.ceil(number(4)), Math.ceil(number(6))] as const;
  return begin.every((value, axis) => value <= end[axis]!) ? { begin, end } : undefined;
}
