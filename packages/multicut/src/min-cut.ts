import { describe } from "./arguments.ts";
import { MulticutError } from "./errors.ts";
import type { Graph } from "./graph.ts";
import { checkGraph, checkVertex } from "./input.ts";
import { type Preflow, pushPreflow, returnExcess } from "./push-relabel.ts";
import { outflow, type Residuals, SINK, SOURCE, scaleCapacities } from "./residuals.ts";

/** One vertex or several. */
export type Vertices = number | Iterable<number>;

/** A minimum cut. */
export interface MinCut {
  /** Its weight, which is the maximum flow: the capacities of the cut edges, added in order of the edges. */
  readonly flow: number;
  /** 1 for the vertices of the source side, which is the smallest one of all minimum cuts; else 0. */
  readonly side: Uint8Array;
}

/** A minimum cut and a maximum flow. */
export interface MaxFlow extends MinCut {
  /** Net flow per edge, positive from its lower to its upper vertex. */
  readonly edgeFlow: Float64Array;
}

/** What a verification tolerates, relative. */
const TOLERANCE = 1e-9;

/**
 * The minimum cut between sets of vertices whose source side is smallest. Vertices that reach neither terminal are not on
 * the source side. Verified before it is returned: no edge with room left leads out of the side, and its capacities add up
 * to the flow.
 *
 * @param sources a vertex or several.
 * @param sinks the same; both non-empty, disjoint vertices of `graph`.
 * @throws MulticutError `INVALID_INPUT` for a graph that is none, `INVALID_GROUPS`, or `INTERNAL` if the verification fails.
 */
export function minCut(graph: Graph, sources: Vertices, sinks: Vertices): MinCut {
  const { flow, side } = solve(graph, assignRoles(graph, sources, sinks));
  return { flow, side };
}

/** {@link minCut} with the flow that proves it: what enters a vertex leaves it, terminals apart. */
export function maxFlow(graph: Graph, sources: Vertices, sinks: Vertices): MaxFlow {
  const roles = assignRoles(graph, sources, sinks);
  const { flow, side, residuals, preflow } = solve(graph, roles);
  const { room, unit } = residuals;
  returnExcess(graph, roles, room, preflow);
  const edgeFlow = new Float64Array(graph.lower.length);
  // A flow takes room one way and gives it the other. The solver pushes from the sinks to the sources: reversed here.
  for (let e = 0; e < edgeFlow.length; e++) edgeFlow[e] = ((room[2 * e]! - room[2 * e + 1]!) / 2) * unit;
  return { flow, side, edgeFlow };
}

interface Solved extends MinCut {
  readonly residuals: Residuals;
  readonly preflow: Preflow;
}

/** Solves, and again with a finer unit while the cut found is so much lighter than the bound that rounding could show. */
function solve(graph: Graph, roles: Uint8Array): Solved {
  let bound = Math.min(outflow(graph, roles, SOURCE, Infinity), outflow(graph, roles, SINK, Infinity));
  for (;;) {
    const residuals = scaleCapacities(graph, roles, bound);
    const preflow = pushPreflow(graph, roles, residuals.room);
    const side = preflow.reaching;
    const { weight, edges } = weigh(graph, side);
    const rounding = edges * residuals.unit;
    if (rounding > 0.1 * TOLERANCE * weight && weight < bound / 2) {
      bound = weight;
      continue;
    }
    verify(roles, side, weight, preflow.arrived * residuals.unit, rounding);
    return { flow: weight, side, residuals, preflow };
  }
}

/** The roles of the vertices; refuses empty or overlapping terminals and vertices that do not exist. */
export function assignRoles(graph: Graph, sources: Vertices, sinks: Vertices): Uint8Array {
  checkGraph(graph);
  const roles = new Uint8Array(graph.size);
  for (const [name, vertices, role] of [
    ["sources", sources, SOURCE],
    ["sinks", sinks, SINK],
  ] as const) {
    let count = 0;
    for (const v of listOf(vertices, name)) {
      checkVertex(graph, v, name);
      if (roles[v] !== 0 && roles[v] !== role) {
        throw new MulticutError("INVALID_GROUPS", `vertex ${v} is a source and a sink; no cut can part it from itself`);
      }
      roles[v] = role;
      count++;
    }
    if (count === 0) throw new MulticutError("INVALID_GROUPS", `${name} is empty; a cut needs a vertex on both sides`);
  }
  return roles;
}

function listOf(vertices: Vertices, name: string): Iterable<number> {
  if (typeof vertices === "number") return [vertices];
  if (typeof vertices === "object" && vertices !== null && Symbol.iterator in vertices) return vertices;
  throw new MulticutError("INVALID_GROUPS", `${name} must be a vertex or a list of them, got ${describe(vertices)}`);
}

function weigh(graph: Graph, side: Uint8Array): { weight: number; edges: number } {
  let weight = 0;
  let edges = 0;
  for (let e = 0; e < graph.lower.length; e++) {
    if (side[graph.lower[e]!] === side[graph.upper[e]!]) continue;
    weight += graph.capacities[e]!;
    edges++;
  }
  return { weight, edges };
}

function verify(roles: Uint8Array, side: Uint8Array, weight: number, flow: number, rounding: number): void {
  for (let v = 0; v < roles.length; v++) {
    if ((roles[v] === SINK && side[v] === 1) || (roles[v] === SOURCE && side[v] === 0)) {
      throw new MulticutError(
        "INTERNAL",
        `a computed cut does not part its terminals (vertex ${v}); please report the input`,
      );
    }
  }
  if (Math.abs(weight - flow) > TOLERANCE * weight + rounding) {
    throw new MulticutError(
      "INTERNAL",
      `a computed cut weighs ${weight} but its flow is ${flow}; please report the input`,
      {
        weight,
        flow,
      },
    );
  }
}
