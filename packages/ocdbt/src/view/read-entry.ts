import { type AnyReadOptions, type ReadResult, resolveByteRange } from "@pcg/kvstore";
import type { BtreeNodeReference, IndirectReference } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { findKey } from "./find.ts";
import { generationOf, generationOfBytes, valueAt } from "./generation.ts";

/** A key's value in one tree, as a store answers a read. */
export async function readEntry(
  root: BtreeNodeReference,
  key: Uint8Array,
  nodes: NodeReader,
  options: AnyReadOptions,
): Promise<ReadResult | "unchanged" | undefined> {
  const found = await findKey(root, key, nodes, options);
  return found === undefined ? undefined : await readValueOf(valueAt(found.leaf, found.index), nodes, options);
}

/** The part of a value that was asked for. Bytes out of a leaf are copied, so that callers cannot change the cached node. */
export async function readValueOf(
  value: Uint8Array | IndirectReference,
  nodes: NodeReader,
  options: AnyReadOptions,
): Promise<ReadResult | "unchanged"> {
  const size = value.length;
  if (options.ifNotGeneration !== undefined && options.ifNotGeneration === generationOf(value)) return "unchanged";
  const { start, end } = resolveByteRange(options.range, size);
  if (value instanceof Uint8Array) return inlineResult(value.slice(), start, end);
  const range = { offset: start, length: end - start };
  const bytes = await nodes.value(value, options.signal === undefined ? { range } : { range, signal: options.signal });
  return { value: bytes, generation: generationOf(value), size };
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
