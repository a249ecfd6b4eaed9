import { describe, type Names } from "../arguments.ts";
import { componentsWithin } from "../components.ts";
import { type Contraction, contractRows, membersOfParts } from "../contract.ts";
import { cutEdges } from "../describe-cut.ts";
import { MulticutError } from "../errors.ts";
import { checkEdgeList, checkInput, checkSignal } from "../input.ts";
import { improveByMoves } from "./boundary-moves.ts";
import { contractGreedily } from "./greedy-contraction.ts";

export interface PartitionInput {
  /** Pairs of ids, 2E, in any order and direction; parallel rows add up. */
  readonly edges: BigUint64Array;
  /** One per pair: positive pulls together, negative pushes apart, Infinity joins. See {@link logOdds}. */
  readonly weights: Float64Array | Float32Array;
  readonly signal?: AbortSignal;
  /** Called now and then. `total` is an upper bound. */
  readonly onProgress?: (progress: {
    readonly step: "contract" | "improve";
    readonly done: number;
    readonly total: number;
  }) => void;
}

export interface Partition {
  /** The parts, each connected, largest first, ties by smallest id; members ascend. */
  readonly parts: readonly BigUint64Array[];
  /** The input's pairs between parts: smaller id first, ascending, distinct. */
  readonly edges: BigUint64Array;
  /** Sum of the weights of the edges between parts: the smaller, the better; at most 0, which leaving all together costs. */
  readonly weight: number;
}

const NAMES: Names<PartitionInput> = { edges: true, weights: true, signal: true, onProgress: true };

/** How long the event loop may wait, in ms. */
const SLICE = 50;
const MAX_ROUNDS = 50;

/**
 * Takes a graph apart without any seed: the partition of small total weight between its parts (correlation clustering, also
 * called the minimum-cost multicut; NP-hard), by greedy contraction and local search. Deterministic as `multicut` is.
 * Yields to the event loop every 50 ms. 28,000 edges take about a quarter of a second, a million 3 s if the weights agree on
 * the parts and 10 s if they contradict each other. Memory: about 300 bytes per edge.
 *
 * @throws MulticutError `INVALID_INPUT`, `INVALID_EDGES`, `INVALID_AFFINITIES`, `INVALID_OPTION`, `TOO_LARGE`; the signal's reason if it is aborted.
 *
 * @example
 * const { parts } = await partition({ edges, weights: logOdds(probabilities) });
 */
export async function partition(input: PartitionInput): Promise<Partition> {
  checkInput(input, "partition", NAMES);
  const { edges, signal, onProgress } = input;
  checkSignal(signal);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new MulticutError("INVALID_OPTION", `onProgress must be a function, got ${describe(onProgress)}`);
  }
  const contraction = contractRows(edges, checkWeights(edges, input.weights));
  const { graph } = contraction;
  const pauseAs = (step: "contract" | "improve", total: number) => {
    let last = performance.now();
    return async (done: number): Promise<void> => {
      if (performance.now() - last < SLICE) return;
      onProgress?.({ step, done, total });
      await new Promise((resolve) => setTimeout(resolve, 0));
      signal?.throwIfAborted();
      last = performance.now();
    };
  };
  signal?.throwIfAborted();
  const cluster = await contractGreedily(graph, pauseAs("contract", graph.size));
  await improveByMoves(graph, cluster, pauseAs("improve", MAX_ROUNDS));
  // A cluster in several pieces is several parts: nothing runs between them, so that costs nothing.
  return describeParts(contraction, componentsWithin(graph, cluster).of);
}

/**
 * Signed weights of probabilities that two ends belong together: log(p / (1 − p)) − log(t / (1 − t)), which is positive
 * above the threshold. Probabilities are kept 1e-6 away from 0 and 1, so that no single edge decides. Affinities that grow
 * with contact area are no probabilities: calibrate them first.
 *
 * @param threshold probability at which an edge is indifferent, 0 … 1 exclusive. Default 0.5; lower it to cut less.
 */
export function logOdds(probabilities: Float64Array | Float32Array, threshold = 0.5): Float64Array {
  if (!(probabilities instanceof Float64Array || probabilities instanceof Float32Array)) {
    throw new MulticutError(
      "INVALID_AFFINITIES",
      `probabilities must be a Float64Array or Float32Array, got ${describe(probabilities)}`,
    );
  }
  if (!(typeof threshold === "number" && threshold > 0 && threshold < 1)) {
    throw new MulticutError(
      "INVALID_OPTION",
      `threshold must be a number between 0 and 1, both excluded, got ${describe(threshold)}`,
    );
  }
  const bias = Math.log(threshold / (1 - threshold));
  return Float64Array.from(probabilities, (p, i) => {
    if (!(p >= 0 && p <= 1)) {
      throw new MulticutError("INVALID_AFFINITIES", `probabilities[${i}] is ${p}; a probability is from 0 to 1`, {
        index: i,
        probability: p,
      });
    }
    const kept = Math.min(Math.max(p, 1e-6), 1 - 1e-6);
    return Math.log(kept / (1 - kept)) - bias;
  });
}

const LARGEST_WEIGHT = 1e200;

function checkWeights(edges: BigUint64Array, weights: Float64Array | Float32Array): Float64Array {
  const doubles = checkEdgeList(edges, weights, "weights");
  for (let i = 0; i < doubles.length; i++) {
    if (Math.abs(doubles[i]!) <= LARGEST_WEIGHT || doubles[i] === Infinity) continue;
    throw new MulticutError(
      "INVALID_AFFINITIES",
      `weights[${i}] is ${doubles[i]} (edge ${edges[2 * i]}–${edges[2 * i + 1]}); a weight is from ${-LARGEST_WEIGHT} to ` +
        `${LARGEST_WEIGHT}, or Infinity to join`,
      { index: i, weight: doubles[i]! },
    );
  }
  return doubles;
}

function describeParts(contraction: Contraction, part: Int32Array): Partition {
  const { graph } = contraction;
  const numbers = new Map<number, number>();
  for (const name of part) if (!numbers.has(name)) numbers.set(name, numbers.size);
  const numbered = part.map((name) => numbers.get(name)!);
  let weight = 0;
  for (let e = 0; e < graph.lower.length; e++) {
    if (part[graph.lower[e]!] !== part[graph.upper[e]!]) weight += graph.capacities[e]!;
  }
  // Parts come in order of their smallest id; the stable sort keeps that among equals.
  const parts = membersOfParts(contraction, numbered, numbers.size).sort((a, b) => b.length - a.length);
  return { parts, edges: cutEdges(contraction, part), weight };
}
