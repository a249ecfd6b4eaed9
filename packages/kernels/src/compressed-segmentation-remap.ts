/**
 * Relabelling an encoded chunk through its tables alone.
 * @module
 */
import { decodeCompressedSegmentation, labelsAt, markWords, usedEntries } from "./compressed-segmentation-decode.ts";
import { encodeCompressedSegmentation } from "./compressed-segmentation-encode.ts";
import { layoutOf } from "./compressed-segmentation-layout.ts";
import { KernelError } from "./error.ts";
import { applyTable, renumber } from "./renumber.ts";
import type { Size } from "./volume.ts";

/**
 * Relabels an encoded uint64 chunk. `map` is called once, with the distinct labels that occur (ascending, 0 among them if it
 * does), and returns what each becomes, in the same order. The result has the length and layout of `bytes` with new table
 * entries; tables need not ascend any more and may repeat labels, which the format allows. Only where bytes of foreign
 * origin use a word for two things are the voxels decoded and encoded anew.
 *
 * KernelError: CORRUPT as in decoding, BAD_CALLBACK when `map` returns another number of labels. Peak memory beside input and
 * result: the encoded bytes one and a half times.
 *
 * @example
 * const roots = remapCompressedSegmentation(chunk, [64, 64, 64], 1, [8, 8, 8], (supervoxels) => rootsOf(supervoxels));
 */
export function remapCompressedSegmentation(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  blockSize: Size,
  map: (labels: BigUint64Array) => BigUint64Array,
): Uint8Array {
  const layout = layoutOf(size, channels, blockSize);
  const marks = markWords(bytes, layout);
  const entries = usedEntries(marks);
  if (marks.some(hasSeveralUses)) {
    const labels = decodeCompressedSegmentation(bytes, size, channels, blockSize, "uint64");
    return encodeCompressedSegmentation(mapped(labels, map), size, channels, blockSize);
  }
  const labels = mapped(labelsAt(bytes, entries), map);
  const result = bytes.slice();
  const view = new DataView(result.buffer);
  for (let i = 0; i < entries.length; i++) view.setBigUint64(entries[i]! * 4, labels[i]!, true);
  return result;
}

/** Maps labels by their distinct values. */
function mapped(labels: BigUint64Array, map: (labels: BigUint64Array) => BigUint64Array): BigUint64Array {
  const { indices, labels: table } = renumber(labels);
  // `table` begins with 0 in any case; the caller is asked for it only if it occurs.
  const first = labels.includes(0n) ? 0 : 1;
  const asked = table.slice(first);
  const answer = asked.length === 0 ? asked : map(asked);
  if (!(answer instanceof BigUint64Array) || answer.length !== table.length - first) {
    throw new KernelError(
      "BAD_CALLBACK",
      `the map was asked for ${table.length - first} labels and must return a BigUint64Array of as many, got ${answer?.length}`,
      { wanted: table.length - first },
    );
  }
  table.set(answer, first);
  return applyTable(indices, table);
}

function hasSeveralUses(mark: number): boolean {
  return (mark & (mark - 1)) !== 0;
}
