/**
 * Mutations as callers give them: checked by name and type, with the bytes of their keys.
 * @module
 */
import { type Key, keyBytes } from "@pcg/kvstore";
import type { Mutation } from "../contract.ts";

/** @throws `TypeError` that names the member that is not what it should be. */
export function takeMutations(mutations: readonly Mutation<Key>[]): Mutation[] {
  if (!Array.isArray(mutations)) throw new TypeError(`mutations are an array, not ${typeOf(mutations)}`);
  return mutations.map(takeMutation);
}

function takeMutation(mutation: Mutation<Key>, i: number): Mutation {
  const where = `mutations[${i}]`;
  const op: string | undefined = mutation?.op;
  if (op === "deleteRange") {
    const { start, end } = mutation as Extract<Mutation<Key>, { op: "deleteRange" }>;
    const from = { op: "deleteRange", start: takeKey(start, `${where}.start`) } as const;
    return end === undefined ? from : { ...from, end: takeKey(end, `${where}.end`) };
  }
  if (op !== "put" && op !== "delete") {
    throw new TypeError(`${where}.op is "put", "delete" or "deleteRange", not ${JSON.stringify(op)?.slice(0, 100)}`);
  }
  const { ifGeneration } = mutation as Exclude<Mutation<Key>, { op: "deleteRange" }>;
  if (ifGeneration !== undefined && ifGeneration !== null && typeof ifGeneration !== "string") {
    throw new TypeError(`${where}.ifGeneration is a text, or null, not ${typeOf(ifGeneration)}`);
  }
  const point = mutation as Exclude<Mutation<Key>, { op: "deleteRange" }>;
  if (point.op === "put") checkValue(point.value, `${where}.value`);
  return { ...point, key: takeKey(point.key, `${where}.key`) };
}

function takeKey(key: Key, where: string): Uint8Array {
  if (typeof key === "string" || key instanceof Uint8Array) return keyBytes(key);
  throw new TypeError(`${where} is a Uint8Array or a string, not ${typeOf(key)}`);
}

/** Throws `TypeError` unless `value` is bytes, or says where in a data file they lie. */
export function checkValue(value: unknown, where: string): void {
  if (value instanceof Uint8Array) return;
  const { file, offset, length } = (typeof value === "object" && value !== null ? value : {}) as {
    readonly file?: Readonly<Record<string, unknown>>;
    readonly offset?: unknown;
    readonly length?: unknown;
  };
  const isNamed = typeof file?.["basePath"] === "string" && typeof file["relativePath"] === "string";
  if (isNamed && typeof offset === "number" && typeof length === "number") return;
  throw new TypeError(`${where} is a Uint8Array, or where one lies in a data file, not ${typeOf(value)}`);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
}
