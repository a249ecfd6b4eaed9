/**
 * What a call may contain. Every engine checks its arguments here, before it touches anything, so that a bad call
 * fails the same way everywhere and leaves nothing behind.
 * @module
 */
import type {
  Bytes,
  Column,
  GcRules,
  Guard,
  Op,
  Predicate,
  ReadOptions,
  RowMutation,
  RowStoreCapabilities,
  Selection,
} from "./contract.ts";
import { RowStoreError } from "./errors.ts";

/** The largest timestamp of a cell, 2^63 - 1 (in the year 294247). */
export const MAX_TIMESTAMP: bigint = (1n << 63n) - 1n;

/**
 * What the engines of this package take. With every byte of 960 escaped and the rest of its key, a cell still fits the
 * 1978 bytes of an LMDB key.
 */
export const CELL_LIMITS: Limits = { maxKeyBytes: 960, maxValueBytes: 256 * 2 ** 20 };

type Limits = Pick<RowStoreCapabilities, "maxKeyBytes" | "maxValueBytes">;

const FAMILY = /^[A-Za-z0-9_.-]{1,16}$/;

/** A short hexadecimal rendering for messages. */
export function showBytes(bytes: Bytes): string {
  const shown = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return bytes.length > 16 ? `0x${shown}… (${bytes.length} bytes)` : `0x${shown}`;
}

function checkIsBytes(value: unknown, what: string): void {
  if (!(value instanceof Uint8Array)) {
    throw new RowStoreError("INVALID_ARGUMENT", `${what} is ${describe(value)}; pass a Uint8Array`, { what });
  }
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "object") return `a ${value.constructor?.name ?? "object"}`;
  return typeof value === "string" ? `the string ${JSON.stringify(value)}` : `${typeof value} ${String(value)}`;
}

export function checkKey(key: Bytes, limits: Limits): void {
  checkIsBytes(key, "a row key");
  if (key.length === 0) throw new RowStoreError("INVALID_KEY", "a row key is empty; give it at least one byte");
  if (key.length > limits.maxKeyBytes) throw keyTooLong("a row key", key, key.length, limits);
}

function keyTooLong(what: string, key: Bytes, bytes: number, limits: Limits): RowStoreError {
  return new RowStoreError(
    "KEY_TOO_LONG",
    `${what} of ${bytes} bytes (${showBytes(key)}) is longer than this store's limit of ${limits.maxKeyBytes}; shorten it, for example by hashing its tail`,
    { bytes, limit: limits.maxKeyBytes },
  );
}

function checkFamily(family: string): void {
  if (typeof family !== "string" || !FAMILY.test(family)) {
    throw new RowStoreError(
      "INVALID_FAMILY",
      `${typeof family === "string" ? JSON.stringify(family) : describe(family)} is not a family name; use 1 to 16 of the characters A-Z a-z 0-9 _ . -`,
      { family: String(family), limit: 16 },
    );
  }
}

/** Row key and qualifier together must fit `maxKeyBytes`. */
function checkColumn(key: Bytes, column: Column, limits: Limits): void {
  if (typeof column !== "object" || column === null) {
    throw new RowStoreError("INVALID_ARGUMENT", `a column is ${describe(column)}; pass {family, qualifier}`);
  }
  checkFamily(column.family);
  checkIsBytes(column.qualifier, "a qualifier");
  const bytes = key.length + column.qualifier.length;
  if (bytes > limits.maxKeyBytes) throw keyTooLong("a row key with its qualifier", key, bytes, limits);
}

function checkTimestamp(timestamp: unknown, what: string, limit: bigint): void {
  if (typeof timestamp !== "bigint" || timestamp < 0n || timestamp > limit) {
    throw new RowStoreError(
      "INVALID_TIMESTAMP",
      `${what} is ${describe(timestamp)}; use microseconds since the epoch as a bigint from 0 to ${limit}`,
      { timestamp: typeof timestamp === "bigint" ? timestamp : String(timestamp), limit },
    );
  }
}

/** The bounds of a time window; the exclusive one may lie one past the largest timestamp. */
function checkWindow(from: bigint | undefined, to: bigint | undefined): void {
  if (from !== undefined) checkTimestamp(from, "the start of a time window", MAX_TIMESTAMP + 1n);
  if (to !== undefined) checkTimestamp(to, "the end of a time window", MAX_TIMESTAMP + 1n);
}

function checkValue(value: Bytes, limits: Limits): void {
  checkIsBytes(value, "a value");
  if (value.length > limits.maxValueBytes) {
    throw new RowStoreError(
      "VALUE_TOO_LARGE",
      `a value of ${value.length} bytes is larger than this store's limit of ${limits.maxValueBytes}; spread it over several cells`,
      { bytes: value.length, limit: limits.maxValueBytes },
    );
  }
}

export function checkOps(key: Bytes, ops: readonly Op[], limits: Limits): void {
  checkIsList(ops, "the operations of a row");
  for (const op of ops) {
    switch (op.op) {
      case "set":
        checkColumn(key, op.column, limits);
        checkValue(op.value, limits);
        if (op.timestamp !== undefined) checkTimestamp(op.timestamp, "a cell's timestamp", MAX_TIMESTAMP);
        break;
      case "deleteColumn":
        checkColumn(key, op.column, limits);
        checkWindow(op.from, op.to);
        break;
      case "deleteRow":
        break;
      default:
        throw new RowStoreError(
          "INVALID_ARGUMENT",
          `${describe((op as { op?: unknown }).op)} is not an operation; use "set", "deleteColumn" or "deleteRow"`,
        );
    }
  }
}

function checkIsList(list: unknown, what: string): void {
  if (!Array.isArray(list)) {
    throw new RowStoreError("INVALID_ARGUMENT", `${what} must be an array, not ${describe(list)}`);
  }
}

export function checkMutations(rows: readonly RowMutation[], limits: Limits): void {
  checkIsList(rows, "the rows to write");
  for (const row of rows) {
    checkKey(row.key, limits);
    checkOps(row.key, row.ops, limits);
  }
}

/** Predicates nest at most this deep, so that a hostile one cannot exhaust the stack. */
const MAX_PREDICATE_DEPTH = 64;

export function checkPredicate(key: Bytes, when: Predicate, limits: Limits, depth = 0): void {
  if (depth > MAX_PREDICATE_DEPTH) {
    throw new RowStoreError(
      "INVALID_ARGUMENT",
      `a predicate nests deeper than ${MAX_PREDICATE_DEPTH} levels; flatten it`,
    );
  }
  switch (when.kind) {
    case "any":
    case "all":
      checkIsList(when.of, `the parts of "${when.kind}"`);
      for (const part of when.of) checkPredicate(key, part, limits, depth + 1);
      break;
    case "cell":
    case "absent":
      checkColumn(key, when.column, limits);
      checkWindow(when.tsFrom, when.tsTo);
      if (when.valueEq !== undefined) checkIsBytes(when.valueEq, "valueEq");
      if (when.valueGte !== undefined) checkIsBytes(when.valueGte, "valueGte");
      break;
    default:
      throw new RowStoreError(
        "INVALID_ARGUMENT",
        `${describe((when as { kind?: unknown }).kind)} is not a kind of predicate; use "cell", "absent", "any" or "all"`,
      );
  }
}

export function checkGuards(guards: readonly Guard[], limits: Limits): void {
  checkIsList(guards, "the guards");
  for (const guard of guards) {
    checkKey(guard.key, limits);
    checkPredicate(guard.key, guard.when, limits);
  }
}

function checkCount(value: number | undefined, name: string, least: number): void {
  if (value !== undefined && (!Number.isSafeInteger(value) || value < least)) {
    throw new RowStoreError("INVALID_ARGUMENT", `${name} is ${describe(value)}; use a whole number from ${least}`, {
      limit: least,
    });
  }
}

export function checkRead(selection: Selection, options: ReadOptions, limits: Limits): void {
  if ("keys" in selection) {
    checkIsList(selection.keys, "the keys to read");
    for (const key of selection.keys) checkKey(key, limits);
  } else {
    checkIsList(selection.ranges, "the ranges to read");
    for (const range of selection.ranges) {
      checkBound(range.start, limits);
      if (range.end !== undefined) checkBound(range.end, limits);
    }
  }
  if (options.columns !== undefined) {
    checkIsList(options.columns, "the columns to read");
    for (const { family, qualifier } of options.columns) {
      checkFamily(family);
      if (qualifier === undefined) continue;
      checkIsBytes(qualifier, "a qualifier");
      if (qualifier.length > limits.maxKeyBytes) throw keyTooLong("a qualifier", qualifier, qualifier.length, limits);
    }
  }
  checkWindow(options.from, options.to);
  checkCount(options.versions, "versions", 1);
  checkCount(options.limit, "limit", 0);
}

/** A bound may be one byte longer than a key: the longest key's immediate successor. */
function checkBound(bound: Bytes, limits: Limits): void {
  checkIsBytes(bound, "a bound of a range");
  if (bound.length > limits.maxKeyBytes + 1) throw keyTooLong("a bound of a range", bound, bound.length, limits);
}

export function checkIncrement(key: Bytes, column: Column, by: bigint, limits: Limits): void {
  checkKey(key, limits);
  checkColumn(key, column, limits);
  if (typeof by !== "bigint" || by < -(1n << 63n) || by >= 1n << 63n) {
    throw new RowStoreError("INVALID_ARGUMENT", `an increment of ${describe(by)} is not a 64-bit signed bigint`);
  }
}

export function checkGcRules(rules: GcRules): void {
  for (const [family, rule] of Object.entries(rules)) {
    checkFamily(family);
    checkCount(rule.maxVersions, `maxVersions of family ${family}`, 1);
    if (rule.maxAgeUs !== undefined) checkTimestamp(rule.maxAgeUs, `maxAgeUs of family ${family}`, MAX_TIMESTAMP);
  }
}
