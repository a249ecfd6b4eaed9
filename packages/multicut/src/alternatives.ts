import { assign } from "./assign.ts";
import { weighSides } from "./assignment.ts";
import { checkCut } from "./check-cut.ts";
import { componentsWithin } from "./components.ts";
import type { Contraction } from "./contract.ts";
import { describeCut } from "./describe-cut.ts";
import { withCapacities } from "./graph.ts";
import type { Alternative } from "./result.ts";
import type { Solved } from "./solve-groups.ts";
import type { Steps } from "./steps.ts";

/** How much dearer an edge gets each time a cut uses it. */
const PENALTY = 2;
/** Solves per alternative asked for, before giving up. */
const TRIES = 4;

/**
 * Other cuts that pass the same checks, lightest first: edges of the cuts found so far are made dearer and the rest is
 * solved again, so that each differs from those before in more than a vertex or two (after the diverse M-best solutions of
 * Batra et al. 2012). Fewer than `count` if no more are found.
 */
export function* findAlternatives(
  contraction: Contraction,
  solved: Solved,
  disallowIsolating: boolean,
  count: number,
): Steps<Alternative[]> {
  const { graph } = contraction;
  const capacities = graph.capacities.slice();
  const seen = new Set<string>();
  const found: Alternative[] = [];
  let side = solved.assignment.side;
  seen.add(penalize(capacities, graph.lower, graph.upper, side));
  for (let tries = 0; found.length < count && tries < TRIES * count; tries++) {
    yield;
    const dearer = yield* assign(
      withCapacities(graph, capacities.slice()),
      solved.teams.map(({ terminal }) => terminal),
    );
    side = dearer.side;
    const key = penalize(capacities, graph.lower, graph.upper, side);
    if (key === "" || seen.has(key)) continue;
    seen.add(key);
    const components = componentsWithin(graph, side);
    if (checkCut(graph, components, solved.teams, disallowIsolating).length > 0) continue;
    const labels = solved.teams.map((team) => team.labels);
    const { edges, parts, flow } = describeCut(
      contraction,
      components,
      { ...dearer, flow: weighSides(graph, side) },
      labels,
    );
    found.push({ edges, parts, flow });
  }
  return found.sort((a, b) => a.flow - b.flow || a.edges.length - b.edges.length);
}

/** Makes the edges between sides dearer; returns a name of the cut. */
function penalize(capacities: Float64Array, lower: Int32Array, upper: Int32Array, side: Int32Array): string {
  const cut: number[] = [];
  for (let e = 0; e < lower.length; e++) {
    if (side[lower[e]!] === side[upper[e]!]) continue;
    capacities[e]! *= PENALTY;
    cut.push(e);
  }
  return cut.join();
}
