/**
 * Finding the labels whose supervoxels fall apart into several pieces, in bounded memory: labels of all pieces are looked at
 * in as many rounds as it takes to hold one round's labels at a time.
 * @module
 */
import { halves } from "../ids.ts";
import type { UnionFind } from "../union-find.ts";

/** Supervoxels of one chunk, in the order of their ids. */
export interface LabelledChunk {
  readonly ordinal: number;
  /** Count over the volume of the chunk's first supervoxel. */
  readonly start: number;
  readonly labels: BigUint64Array;
  readonly positions: Uint32Array;
}

/** Gives all chunks in order; called once per round. */
export type LabelStream = () => AsyncIterable<LabelledChunk>;

export interface LabelSurvey {
  /** Distinct labels. */
  readonly labels: number;
  /** Pieces of all labels. */
  readonly pieces: number;
  /** Labels in more than one piece, ascending. */
  readonly broken: BigUint64Array;
}

/** @param capacity labels held at a time, 8 bytes each. */
export async function surveyLabels(
  stream: LabelStream,
  pieces: UnionFind,
  capacity: number = 1 << 22,
): Promise<LabelSurvey> {
  const total = pieces.count();
  const rounds = Math.max(1, Math.ceil(total / capacity));
  const broken: BigUint64Array[] = [];
  let labels = 0;
  for (let round = 0; round < rounds && total > 0; round++) {
    const found = await labelsOfRound(stream, pieces, round, rounds, Math.min(total, capacity));
    const { distinct, repeated } = countDistinct(found);
    labels += distinct;
    broken.push(repeated);
  }
  return { labels, pieces: total, broken: merge(broken) };
}

/** The label of each piece that falls into this round, sorted. */
async function labelsOfRound(
  stream: LabelStream,
  pieces: UnionFind,
  round: number,
  rounds: number,
  expected: number,
): Promise<BigUint64Array> {
  let found = new BigUint64Array(expected);
  let length = 0;
  for await (const { start, labels } of stream()) {
    const half = halves(labels);
    for (let i = 0; i < labels.length; i++) {
      if (pieces.parents[start + i] !== start + i) continue;
      if (rounds > 1 && roundOf(half[2 * i]!, half[2 * i + 1]!, rounds) !== round) continue;
      if (length === found.length) {
        const grown = new BigUint64Array(2 * length);
        grown.set(found);
        found = grown;
      }
      found[length++] = labels[i]!;
    }
  }
  return found.subarray(0, length).sort();
}

function roundOf(low: number, high: number, rounds: number): number {
  const mixed = Math.imul(low ^ (low >>> 15), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0x9e3779b1);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % rounds;
}

function countDistinct(sorted: BigUint64Array): { distinct: number; repeated: BigUint64Array } {
  const repeated: bigint[] = [];
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
    else if (repeated.length === 0 || repeated.at(-1) !== sorted[i]) repeated.push(sorted[i]!);
  }
  return { distinct, repeated: BigUint64Array.from(repeated) };
}

function merge(parts: readonly BigUint64Array[]): BigUint64Array {
  const all = new BigUint64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.sort();
}
