/**
 * What was asked of a committer: checked before it is queued, and settled together with what else waits.
 * @module
 */
import { type Generation, isEmptyRange, type KeyRange, printKey } from "@pcg/kvstore";
import type { CommitOptions, CommitReceipt, Mutation } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { MAX_KEY_BYTES, pathToBytes } from "../format/index.ts";
import type { IndirectReference } from "../format/types.ts";
import type { DataFileWriter } from "../parts.ts";
import { generationOf } from "../view/generation.ts";
import type { Change } from "./changes.ts";

/** Bounds of ranges need not be keys: the range behind the longest key begins with a byte more. */
export const MAX_BOUND_BYTES: number = 2 * MAX_KEY_BYTES;

/** A put or delete. Its value moves to a data file when a tree that has it is about to be written. */
export class PointMutation implements Change {
  readonly kind = "point";
  readonly key: Uint8Array;
  readonly condition: Generation | null | undefined;
  value: Uint8Array | IndirectReference | null;
  /** As it was asked for. */
  #given: Uint8Array | IndirectReference | null;

  constructor(mutation: Exclude<Mutation, { readonly op: "deleteRange" }>) {
    this.key = mutation.key;
    this.#given = mutation.op === "put" ? mutation.value : null;
    this.value = this.#given;
    this.condition = mutation.ifGeneration;
  }

  /** The reference it was asked with, unless the condition says that the key has it already. */
  get handedIn(): IndirectReference | undefined {
    const given = this.#given;
    if (given === null || given instanceof Uint8Array || generationOf(given) === this.condition) return undefined;
    return given;
  }

  /** The same bytes in another place. */
  replaceGiven(reference: IndirectReference): void {
    this.#given = reference;
    this.value = reference;
  }

  /** @param afresh also when that was done before. */
  place(writer: DataFileWriter, maxInlineBytes: number, afresh = false): void {
    if (afresh) this.value = this.#given;
    if (this.value instanceof Uint8Array && this.value.length > maxInlineBytes) {
      this.value = writer.append(this.value, "value");
    }
  }
}

export interface RangeMutation {
  readonly kind: "range";
  readonly range: KeyRange;
}

export type StagedMutation = PointMutation | RangeMutation;

/** One call of `commit` on its way. */
export interface CommitRequest {
  readonly mutations: readonly StagedMutation[];
  readonly options: CommitOptions;
  /** `performance.now()` ms. */
  readonly askedAt: number;
  readonly resolve: (receipt: CommitReceipt) => void;
  readonly reject: (reason: unknown) => void;
}

/** @throws `OcdbtError` `too-large` before anything is queued. */
export function stage(mutation: Mutation): StagedMutation {
  if (mutation.op === "deleteRange") {
    const { start, end } = mutation;
    for (const bound of [start, end]) {
      if (bound === undefined || bound.length <= MAX_BOUND_BYTES) continue;
      throw new OcdbtError(
        "too-large",
        `a bound of a range has ${bound.length} bytes; keys have at most ${MAX_KEY_BYTES}, bounds ${MAX_BOUND_BYTES}`,
        { fields: { size: bound.length, limit: MAX_BOUND_BYTES } },
      );
    }
    return { kind: "range", range: end === undefined ? { start } : { start, end } };
  }
  checkKey(mutation.key);
  if (mutation.op === "put" && !(mutation.value instanceof Uint8Array)) checkReference(mutation.value);
  return new PointMutation(mutation);
}

/** One bad reference would otherwise fail everything that is committed with it. */
function checkReference({ file, offset, length }: IndirectReference): void {
  const path = file.basePath + file.relativePath;
  if (!(Number.isSafeInteger(offset + length) && offset >= 0 && length >= 0)) {
    throw new RangeError(`bytes ${offset}+${length} are no part of a data file`);
  }
  if (path.length > MAX_KEY_BYTES) {
    throw new OcdbtError(
      "too-large",
      `the path of a data file has ${path.length} bytes; the format holds at most ${MAX_KEY_BYTES}`,
      { fields: { size: path.length, limit: MAX_KEY_BYTES } },
    );
  }
  // Throws on what are no bytes.
  pathToBytes(path);
}

/** Whether it will be applied, whatever is stored. */
export function isCertain({ mutations, options }: CommitRequest): boolean {
  if ((options.expects?.length ?? 0) > 0 || options.request?.sentBefore || options.mayCommit !== undefined)
    return false;
  return mutations.every((mutation) => mutation.kind === "range" || mutation.condition === undefined);
}

export function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) throw new TypeError(`a key is a Uint8Array or a string, not ${typeof key}`);
  if (key.length <= MAX_KEY_BYTES) return;
  throw new OcdbtError(
    "too-large",
    `key ${printKey(key)} has ${key.length} bytes; the format holds at most ${MAX_KEY_BYTES}`,
    { fields: { size: key.length, limit: MAX_KEY_BYTES } },
  );
}

/** Whether the answer depends on what is stored, not only on what is asked. */
export function dependsOnState({ mutations, options }: CommitRequest): boolean {
  if (options.expects !== undefined && options.expects.length > 0) return true;
  if (options.request?.sentBefore) return true;
  return mutations.some((mutation) =>
    mutation.kind === "range"
      ? !isEmptyRange(mutation.range)
      : mutation.condition !== undefined || mutation.value === null,
  );
}
