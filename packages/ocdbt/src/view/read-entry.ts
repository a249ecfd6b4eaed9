import { type AnyReadOptions, type ReadResult, resolveByteRange } from "@pcg/kvstore";
import type { BtreeNodeReference, IndirectReference } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { type FoundEntry, findKey } from "./find.ts";
import { generationOf, generationOfBytes, valueAt } from "./generation.ts";

type Answer = ReadResult | "unchanged";

/** A key's value in one tree, as a store answers a read; at once when nothing has to be waited for. */
export function readEntry(
  root: BtreeNodeReference,
  key: Uint8Array,
  nodes: NodeReader,
  options: AnyReadOptions,
): Answer | undefined | Promise<Answer | undefined> {
  const found = findKey(root, key, nodes, options);
  if (found instanceof Promise) return found.then((entry) => entry && readFound(entry, nodes, options));
  return found && readFound(found, nodes, options);
}

function readFound({ leaf, index }: FoundEntry, nodes: NodeReader, options: AnyReadOptions): Answer | Promise<Answer> {
  return readValueOf(valueAt(leaf, index), nodes, options);
}

/**
 * The part of a value that was asked for, at once when it is at hand. Bytes out of a leaf are copied, so that callers cannot change the
 * cached node.
 */
export function readValueOf(
  value: Uint8Array | IndirectReference,
  nodes: NodeReader,
  options: AnyReadOptions,
): Answer | Promise<Answer> {
  const size = value.length;
  if (options.ifNotGeneration !== undefined && options.ifNotGeneration === generationOf(value)) return "unchanged";
  const { start, end } = resolveByteRange(options.range, size);
  if (value instanceof Uint8Array) return inlineResult(value.slice(), start, end);
  const range = { offset: start, length: end - start };
  return nodes
    .value(value, options.signal === undefined ? { range } : { range, signal: options.signal })
    .then((bytes) => ({ value: bytes, generation: generationOf(value), size }));
}

/** Its generation is a digest, which is only made when somebody looks: from a copy, since the leaf may be large. */
function inlineResult(whole: Uint8Array, start: number, end: number): ReadResult {
  let generation: string | undefined;
  return {
    value: whole.slice(start, end),
    get generation() {
      generation ??= generationOfBytes(whole);
      return generation;
    },
    size: whole.length,
  };
}
