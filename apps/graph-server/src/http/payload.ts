/**
 * The request bodies of the API: what they must look like, and how they become ids and points.
 * @module
 */

import { z } from "@hono/zod-openapi";
import type { Pick } from "@pcg/chunkedgraph";
import type { Xyz } from "@pcg/volume";
import { REQUEST_LIMITS } from "../limits.ts";
import { HttpError } from "./errors.ts";
import { type Json, type JsonObject, parseJson } from "./json-parse.ts";

/** A body: its OpenAPI description and its decoder, which throws an HttpError that names what is wrong. */
export interface Payload<T> {
  readonly contentType: "application/json" | "application/octet-stream";
  readonly schema: z.ZodType;
  decode(bytes: Uint8Array): T;
}

const MAX_ID = 2n ** 64n - 1n;
const DECIMAL = /^[0-9]{1,20}$/;
const idSchema = z.union([z.int(), z.string()]).openapi({ description: "64-bit id, a number or a decimal string" });
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `{"<key>": [id, …]}`, at most `most` of them. */
export function idList(key: string, most: number = REQUEST_LIMITS.idsPerRequest): Payload<BigUint64Array> {
  return json(z.object({ [key]: z.array(idSchema).max(most) }), (value) => {
    const ids = member(value, key);
    requireAtMost(ids, key, most);
    return decodeIds(ids, key);
  });
}

function requireAtMost(items: Json, key: string, most: number): void {
  if (!Array.isArray(items) || items.length <= most) return;
  throw new HttpError(
    413,
    `"${key}" holds ${items.length} items; at most ${most} are taken. Send them in several requests`,
  );
}

/** A point as clients send it: an id of any layer and a position in nanometres. */
export interface NmPoint {
  readonly id: bigint;
  readonly nm: Xyz;
}

/** `[[id, x, y, z], [id, x, y, z]]`, positions in nanometres. */
export const twoPoints: Payload<readonly [NmPoint, NmPoint]> = json(
  z.array(z.array(z.union([idSchema, z.number()]))).length(2),
  (value) => {
    const rows = list(value, "the body");
    if (rows.length !== 2)
      throw new HttpError(400, `the body must hold two points [id, x, y, z], it holds ${rows.length}`);
    return [decodePoint(rows[0]!, "point 1"), decodePoint(rows[1]!, "point 2")];
  },
);

/** `{"<key>": [[x, y, z], …]}` in voxels. */
export function voxelList(key: string): Payload<readonly Xyz[]> {
  const most = REQUEST_LIMITS.voxelsPerRequest;
  return json(z.object({ [key]: z.array(z.array(z.number()).length(3)).max(most) }), (value) => {
    const rows = member(value, key);
    requireAtMost(rows, key, most);
    return list(rows, `"${key}"`).map((row, i) => {
      const items = list(row, `${key}[${i}]`);
      if (items.length !== 3) throw new HttpError(400, `${key}[${i}] must be [x, y, z], it has ${items.length} items`);
      return coordinates(items, `${key}[${i}]`);
    });
  });
}

/** Raw little-endian 64-bit ids. */
export const binaryIds: Payload<BigUint64Array> = {
  contentType: "application/octet-stream",
  schema: z.string().openapi({ format: "binary", description: "little-endian uint64 ids" }),
  decode(bytes) {
    if (bytes.length % 8 !== 0) {
      throw new HttpError(400, `the body has ${bytes.length} bytes; ids take 8 bytes each`);
    }
    const ids = new BigUint64Array(bytes.length / 8);
    new Uint8Array(ids.buffer).set(bytes);
    return ids;
  },
};

/** The pick a client's point means: its voxel position is nanometres ÷ resolution. */
export function toPick(point: NmPoint, resolution: Xyz): Pick {
  const [x, y, z] = point.nm;
  return { id: point.id, position: [x / resolution[0], y / resolution[1], z / resolution[2]] };
}

/** An id given as digits, as in a path segment or a query. */
export function parseId(text: string, name: string): bigint {
  return decodeId(text, name);
}

/** A JSON list of ids, e.g. `[1, 2]` as Python prints it, from a query parameter. */
export function parseIdList(text: string, name: string): BigUint64Array {
  return decodeIds(parseJson(text), name);
}

function json<T>(schema: z.ZodType, decode: (value: Json) => T): Payload<T> {
  return { contentType: "application/json", schema, decode: (bytes) => decode(parseJson(decodeText(bytes))) };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new HttpError(400, "the body is not JSON: it is not UTF-8 text", { cause });
  }
}

function member(value: Json, key: string): Json {
  if (!isObject(value)) throw new HttpError(400, `the body must be an object with "${key}", it is ${describe(value)}`);
  const found = value.get(key);
  if (found === undefined) throw new HttpError(400, `the body has no "${key}"`);
  return found;
}

function decodeIds(value: Json, name: string): BigUint64Array {
  const items = list(value, `"${name}"`);
  const ids = new BigUint64Array(items.length);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    ids[i] = typeof item === "bigint" && item >= 0n && item <= MAX_ID ? item : decodeId(item, `${name}[${i}]`);
  }
  return ids;
}

function decodeId(value: Json, name: string): bigint {
  const id = typeof value === "string" && DECIMAL.test(value) ? BigInt(value) : value;
  if (typeof id !== "bigint" || id < 0n || id > MAX_ID) {
    throw new HttpError(400, `${name} is ${describe(value)}; an id is a whole number from 0 to ${MAX_ID}, in digits`);
  }
  return id;
}

function decodePoint(value: Json, name: string): NmPoint {
  const items = list(value, name);
  if (items.length !== 4) throw new HttpError(400, `${name} must be [id, x, y, z], it has ${items.length} items`);
  return {
    id: decodeId(items[0]!, `the id of ${name}`),
    nm: coordinates(items.slice(1), name),
  };
}

function coordinates(items: readonly Json[], name: string): Xyz {
  const along = (axis: 0 | 1 | 2): number => coordinate(items[axis]!, `${"xyz"[axis]} of ${name}`);
  return [along(0), along(1), along(2)];
}

function coordinate(value: Json, name: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    throw new HttpError(400, `${name} is ${describe(value)}; a coordinate is a finite number`);
  }
  return number;
}

function list(value: Json, name: string): readonly Json[] {
  if (!Array.isArray(value)) throw new HttpError(400, `${name} must be a list, it is ${describe(value)}`);
  return value as readonly Json[];
}

function isObject(value: Json): value is JsonObject {
  return value instanceof Map;
}

function describe(value: Json): string {
  if (value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return "an object";
  return String(value);
}
