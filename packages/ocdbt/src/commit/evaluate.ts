/**
 * Decides the conditions of a group of requests against one tree, in the order they came: each sees what those before it did.
 * @module
 */
import { isEmptyRange, type KeyRange, printKey } from "@pcg/kvstore";
import type { Expectation } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { bytesToPath } from "../format/index.ts";
import type { BtreeNodeReference, IndirectReference, Manifest } from "../format/types.ts";
import { diffTrees } from "../history/diff.ts";
import { withOwnSignal } from "../own-signal.ts";
import type { NodeReader } from "../parts.ts";
import { findKey } from "../view/find.ts";
import { generationOf, valueAt } from "../view/generation.ts";
import { findGeneration } from "../view/resolve-version.ts";
import { ChangeSet } from "./changes.ts";
import type { CommitRequest, PointMutation } from "./requests.ts";
import { EMPTY_TREE } from "./tree-writer.ts";

/** Bytes, where they lie, or `null` for an absent key. */
type Value = Uint8Array | IndirectReference | null;

/** What a request came to. */
export type Verdict =
  | { readonly kind: "refused"; readonly error: OcdbtError }
  | {
      readonly kind: "decided";
      /** Whether any of it is to be written. */
      readonly writes: boolean;
      readonly applied: readonly boolean[];
      /** What each key will be: a mutation says so itself, once it is placed. */
      readonly values: readonly (Value | PointMutation)[];
    };

export interface Evaluation {
  readonly changes: ChangeSet;
  readonly verdicts: ReadonlyMap<CommitRequest, Verdict>;
}

export async function evaluate(
  requests: readonly CommitRequest[],
  manifest: Manifest | undefined,
  nodes: NodeReader,
  options: { readonly signal?: AbortSignal },
): Promise<Evaluation> {
  const root = manifest?.versions.at(-1)?.root ?? EMPTY_TREE;
  const base = new BaseValues(root, nodes, options);
  await base.load(requests.flatMap(keysInQuestion));
  const verdicts = new Map<CommitRequest, Verdict>();
  let changes = new ChangeSet();
  for (const request of requests) {
    const broken = await brokenExpectation(request, changes, base, manifest);
    if (broken !== undefined) {
      verdicts.set(request, { kind: "refused", error: broken });
      continue;
    }
    // A group of one kind of change needs no way back.
    const trial = request.options.atomic && request.mutations.some(isConditional) ? changes.fork() : changes;
    const verdict = decide(request, trial, base);
    if (verdict.kind === "decided" && !verdict.writes && trial !== changes) {
      verdicts.set(request, await base.unapplied(request, changes, verdict.applied));
      continue;
    }
    changes = trial;
    verdicts.set(request, verdict);
  }
  return { changes, verdicts };
}

function decide(request: CommitRequest, changes: ChangeSet, base: BaseValues): Verdict {
  const applied: boolean[] = [];
  const values: (Value | PointMutation)[] = [];
  for (const mutation of request.mutations) {
    if (mutation.kind === "range") {
      changes.deleteRange(mutation.range);
      applied.push(true);
      values.push(null);
      continue;
    }
    const holds = mutation.condition === undefined || mutation.condition === generationAt(mutation.key, changes, base);
    applied.push(holds);
    if (holds) changes.set(mutation);
    values.push(holds ? mutation : valueIn(mutation.key, changes, base));
  }
  const writes = request.options.atomic ? applied.every(Boolean) : applied.some(Boolean);
  return { kind: "decided", writes, applied, values };
}

function isConditional(mutation: CommitRequest["mutations"][number]): boolean {
  return mutation.kind === "point" && mutation.condition !== undefined;
}

function keysInQuestion({ mutations, options }: CommitRequest): Uint8Array[] {
  const keys: Uint8Array[] = [];
  for (const mutation of mutations) {
    if (mutation.kind === "point" && mutation.condition !== undefined) keys.push(mutation.key);
  }
  for (const expectation of options.expects ?? []) if ("key" in expectation) keys.push(expectation.key);
  return keys;
}

function valueIn(key: Uint8Array, changes: ChangeSet, base: BaseValues): Value {
  const change = changes.get(key);
  return change === undefined ? base.get(key) : change === null ? null : change.value;
}

function generationAt(key: Uint8Array, changes: ChangeSet, base: BaseValues): string | null {
  const value = valueIn(key, changes, base);
  return value === null ? null : generationOf(value);
}

async function brokenExpectation(
  { options: { expects = [] } }: CommitRequest,
  changes: ChangeSet,
  base: BaseValues,
  manifest: Manifest | undefined,
): Promise<OcdbtError | undefined> {
  for (const expectation of expects) {
    if ("key" in expectation) {
      if (generationAt(expectation.key, changes, base) !== expectation.generation) {
        return conflict(`key ${printKey(expectation.key)}`, { key: printKey(expectation.key) });
      }
    } else if (changes.touches(expectation) || !(await base.isUnchanged(expectation, manifest))) {
      const { start, end } = expectation;
      const text = `from ${printKey(start)} ${end === undefined ? "on" : `to before ${printKey(end)}`}`;
      return conflict(`the range of keys ${text}`, { start: printKey(start) });
    }
  }
  return undefined;
}

function conflict(what: string, fields: Record<string, string>): OcdbtError {
  const message = `${what} has changed since the transaction read it; nothing was written, begin the transaction again`;
  return new OcdbtError("conflict", message, { fields });
}

/** The tree the group is applied to, with the keys that conditions ask for. */
class BaseValues {
  readonly #root: BtreeNodeReference;
  readonly #nodes: NodeReader;
  readonly #options: { readonly signal?: AbortSignal };
  readonly #values = new Map<string, Value>();

  constructor(root: BtreeNodeReference, nodes: NodeReader, options: { readonly signal?: AbortSignal }) {
    this.#root = root;
    this.#nodes = nodes;
    this.#options = options;
  }

  async load(keys: readonly Uint8Array[]): Promise<void> {
    await Promise.all(
      keys.map(async (key) => {
        const found = await withOwnSignal(this.#options.signal, (own) => findKey(this.#root, key, this.#nodes, own));
        this.#values.set(bytesToPath(key), found === undefined ? null : valueAt(found.leaf, found.index));
      }),
    );
  }

  /** A key that was loaded. */
  get(key: Uint8Array): Value {
    const value = this.#values.get(bytesToPath(key));
    if (value === undefined) throw new TypeError(`key ${printKey(key)} was not loaded`);
    return value;
  }

  /** The verdict on an atomic request that is not applied: what its keys are without it. */
  async unapplied(request: CommitRequest, changes: ChangeSet, applied: readonly boolean[]): Promise<Verdict> {
    await this.load(request.mutations.flatMap((mutation) => (mutation.kind === "point" ? [mutation.key] : [])));
    const values = request.mutations.map((mutation) =>
      mutation.kind === "range" ? null : valueIn(mutation.key, changes, this),
    );
    return { kind: "decided", writes: false, applied, values };
  }

  /** Whether a range is as it was at a version. That cannot be said of a version that has expired. */
  async isUnchanged(
    { since, ...range }: Extract<Expectation, KeyRange>,
    manifest: Manifest | undefined,
  ): Promise<boolean> {
    if (isEmptyRange(range) || (manifest?.versions.at(-1)?.generation ?? 0n) === since) return true;
    const then =
      since === 0n || manifest === undefined
        ? EMPTY_TREE
        : (await findGeneration(manifest, since, this.#nodes, this.#options))?.root;
    if (then === undefined) return false;
    const before = { nodes: this.#nodes, root: then };
    const after = { nodes: this.#nodes, root: this.#root };
    for await (const _ of diffTrees(before, after, { range, ...this.#options })) return false;
    return true;
  }
}
