import { findAlternatives } from "./alternatives.ts";
import { type Contraction, contract } from "./contract.ts";
import { describeCut } from "./describe-cut.ts";
import { explainCut } from "./explain-cut.ts";
import { checkSignal } from "./input.ts";
import { notInGraph, sharedVertices, splitOrReject, verticesOf } from "./labels.ts";
import { pairsToPart, waysToPart } from "./must-cut.ts";
import { type MulticutResult, type Rejected, reject, type SvSplitRequired } from "./result.ts";
import {
  ASYNC_NAMES,
  type MulticutAsyncInput,
  type MulticutInput,
  NAMES,
  readSettings,
  type Settings,
} from "./settings.ts";
import { type Solved, solveGroups } from "./solve-groups.ts";
import { run, runInTurns, type Steps } from "./steps.ts";

/**
 * Parts groups of labelled supervoxels by the lightest cut that leaves each group connected.
 *
 * Infinite edges are contracted; in augmented mode the labels of each group are tied together by shortest paths; two groups
 * are parted by an exact minimum cut whose first side is smallest, more by an approximation with a certificate, a single one
 * is cut out of its surroundings. What remains is checked as PyChunkedGraph checks it. The answer is a function of the set of
 * edges: order, direction and duplicates of rows and labels do not show, to the last bit.
 *
 * What a proofreader can mend is a result (`rejected`, `svSplitRequired`); bad calls are errors. Synchronous: 28,000 edges
 * take about 5 ms, a million about a third of a second; many groups or alternatives take that many times as long and more,
 * which is work for {@link multicutAsync}. Memory: about 200 bytes per edge.
 *
 * @throws MulticutError for arguments that make no sense; its message names the value, the limit and what to do.
 *
 * @example
 * const result = multicut({ edges, affinities, groups: [sources, sinks] });
 * if (result.kind === "cut") remove(result.edges);
 */
export function multicut(input: MulticutInput): MulticutResult {
  return run(cutInSteps(input, readSettings(input, "multicut", NAMES)));
}

/**
 * {@link multicut}, letting other events run between its solves, where an abort is heeded too: a solve of a million edges
 * takes about a quarter of a second. The answer is the same, to the last bit. Do not change the arrays before it is there.
 *
 * @throws MulticutError as `multicut`; the signal's reason if it is aborted.
 *
 * @example
 * const result = await multicutAsync({ edges, affinities, groups, alternatives: 100, signal: AbortSignal.timeout(5000) });
 */
export async function multicutAsync(input: MulticutAsyncInput): Promise<MulticutResult> {
  const settings = readSettings(input, "multicutAsync", ASYNC_NAMES);
  checkSignal(input.signal);
  return runInTurns(cutInSteps(input, settings), input.signal);
}

function* cutInSteps(input: MulticutInput, settings: Settings): Steps<MulticutResult> {
  const contraction = contract(input.edges, input.affinities);
  if (contraction.finiteRows === 0) {
    return reject({
      code: "ONLY_INFINITE_EDGES",
      detail:
        "This graph has no edge of finite affinity, so nothing can be cut. Choose other points, or widen the box around them.",
    });
  }
  const groups = labelVertices(contraction, input.groups);
  if (!Array.isArray(groups)) return groups;
  const shared = sharedVertices(groups);
  if (shared.size > 0) {
    const detail =
      "Points of several groups lie in the same supervoxel, or in supervoxels that infinite edges hold together. " +
      "Split that supervoxel, or choose points farther apart.";
    return splitOrReject(contraction, settings.svSplit, { code: "SHARED_SUPERVOXEL", detail }, shared);
  }
  const joined =
    input.mustJoin === undefined || input.mustJoin.length === 0 ? { contraction, groups } : join(contraction, input);
  if ("kind" in joined) return joined;
  const pairs = pairsToPart(joined.contraction, input.mustCut ?? new BigUint64Array(0));
  if (!Array.isArray(pairs)) return pairs;
  const ways = waysToPart(joined.groups, pairs);
  if (ways.length === 0) {
    return reject({
      code: "CONTRADICTION",
      detail: "mustCut asks to part supervoxels that are labelled as one group. Drop the pair, or change the groups.",
    });
  }
  const outcomes: (Solved | SvSplitRequired | Rejected)[] = [];
  for (const way of ways) {
    const isAsGiven = way.map((labels, g) => labels.length === joined.groups[g]?.length);
    yield;
    outcomes.push(yield* solveGroups(joined.contraction, way, isAsGiven, settings));
  }
  return yield* answer(joined.contraction, input, settings, lightest(outcomes));
}

function labelVertices(contraction: Contraction, groups: readonly BigUint64Array[]): Int32Array[] | Rejected {
  const vertices: Int32Array[] = [];
  for (const [g, ids] of groups.entries()) {
    const found = verticesOf(contraction, ids);
    if (typeof found === "bigint") return notInGraph(found, `group ${g}`);
    vertices.push(found);
  }
  return vertices;
}

/** The graph with the pairs of `mustJoin` as infinite edges. */
function join(
  contraction: Contraction,
  input: MulticutInput,
): { contraction: Contraction; groups: Int32Array[] } | Rejected {
  const pairs = input.mustJoin!;
  const unknown = verticesOf(contraction, pairs);
  if (typeof unknown === "bigint") return notInGraph(unknown, "mustJoin");
  const edges = new BigUint64Array(input.edges.length + pairs.length);
  edges.set(input.edges);
  edges.set(pairs, input.edges.length);
  const affinities = new Float64Array(edges.length / 2).fill(Infinity);
  affinities.set(input.affinities);
  const joined = contract(edges, affinities);
  const groups = labelVertices(joined, input.groups);
  if (!Array.isArray(groups)) return groups;
  if (sharedVertices(groups).size > 0) {
    return reject({
      code: "CONTRADICTION",
      detail: "mustJoin holds points of different groups together. Drop a pair, or change the groups.",
    });
  }
  return { contraction: joined, groups };
}

/** The best of several outcomes: a legal cut before an illegal one, a light one before a heavy one, the first of equals. */
function lightest(outcomes: readonly (Solved | SvSplitRequired | Rejected)[]): Solved | SvSplitRequired | Rejected {
  const solved = outcomes.filter((outcome) => outcome.kind === "solved");
  const legal = solved.filter(({ problems }) => problems.length === 0);
  const candidates = legal.length > 0 ? legal : solved;
  if (candidates.length === 0) return outcomes[0]!;
  return candidates.reduce((best, next) => (next.assignment.flow < best.assignment.flow ? next : best));
}

function* answer(
  contraction: Contraction,
  input: MulticutInput,
  settings: Settings,
  outcome: Solved | SvSplitRequired | Rejected,
): Steps<MulticutResult> {
  if (outcome.kind !== "solved") return outcome;
  const { assignment, components, teams, problems } = outcome;
  const [problem] = problems;
  if (problem !== undefined && !settings.preview) {
    if (problem.code !== "GROUP_SEVERED") return reject(problem, assignment.flow);
    return splitOrReject(contraction, settings.svSplit, { ...problem, code: problem.code }, new Map(), assignment.flow);
  }
  const cut = describeCut(
    contraction,
    components,
    assignment,
    teams.map(({ labels }) => labels),
  );
  if (cut.edges.length === 0) {
    return reject(
      {
        code: "EMPTY_CUT",
        detail: "The groups are not connected to each other here, so there is nothing to cut. Choose other points.",
      },
      0,
    );
  }
  const extras = {
    ...(settings.explain
      ? {
          explanation: yield* explainCut(
            contraction,
            rowAffinities(contraction, input),
            teams.map(({ terminal }) => terminal),
            assignment.terminals,
          ),
        }
      : {}),
    ...(settings.alternatives > 0
      ? {
          alternatives: yield* findAlternatives(
            contraction,
            outcome,
            settings.disallowIsolating,
            settings.alternatives,
          ),
        }
      : {}),
  };
  if (!settings.preview) return { kind: "cut", ...cut, ...extras };
  return { kind: "preview", ...cut, ...extras, legal: problem === undefined, problems };
}

/** The affinities of the rows that were contracted, those of mustJoin included. */
function rowAffinities(contraction: Contraction, input: MulticutInput): Float64Array | Float32Array {
  const rows = contraction.ends.length / 2;
  if (rows === input.affinities.length) return input.affinities;
  const affinities = new Float64Array(rows).fill(Infinity);
  affinities.set(input.affinities);
  return affinities;
}
