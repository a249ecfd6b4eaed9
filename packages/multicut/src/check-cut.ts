import type { Components } from "./components.ts";
import type { Graph } from "./graph.ts";
import type { Problem } from "./result.ts";

/** What the checks need to know of a group. */
export interface Team {
  /** Label vertices. */
  readonly labels: Int32Array;
  /** What had to stay together: the seed tree, or the labels alone. */
  readonly terminal: Int32Array;
  /** A part of the group with this many vertices holds nothing but what was given. 0: never. */
  readonly givenVertices: number;
}

/**
 * What is wrong with a cut, worst first: a group in several parts, then a part that holds only what the proofreader gave
 * and has an unlabelled neighbour. Isolating a wholly labelled object is legal.
 */
export function checkCut(
  graph: Graph,
  components: Components,
  teams: readonly Team[],
  disallowIsolating: boolean,
): Problem[] {
  const severed = teams.flatMap((team, group): Problem[] => {
    const parts = new Set(team.labels.map((v) => components.of[v]!));
    if (parts.size === 1) return [];
    return [
      {
        code: "GROUP_SEVERED",
        group,
        detail:
          `The lightest cut leaves the points of group ${group} in ${parts.size} separate parts. ` +
          "Choose points with a clear path between those of each group, or use the augmented mode, which keeps paths.",
      },
    ];
  });
  if (!disallowIsolating) return severed;
  const labelled = new Set(teams.flatMap(({ labels }) => [...labels]));
  const isolated = teams.flatMap((team, group): Problem[] => {
    const part = components.of[team.labels[0]!]!;
    if (components.sizes[part] !== team.givenVertices || !hasOtherNeighbour(graph, components.of, part, labelled))
      return [];
    return [
      {
        code: "ISOLATING_CUT",
        group,
        detail:
          `The cut takes off nothing but the given points of group ${group}. ` +
          "Add points in other places of that side, or allow isolating cuts.",
      },
    ];
  });
  return [...severed, ...isolated];
}

/** Whether a component borders a vertex that carries no label. */
function hasOtherNeighbour(graph: Graph, of: Int32Array, part: number, labelled: ReadonlySet<number>): boolean {
  for (let e = 0; e < graph.lower.length; e++) {
    const a = graph.lower[e]!;
    const b = graph.upper[e]!;
    if (of[a] === part && of[b] !== part && !labelled.has(b)) return true;
    if (of[b] === part && of[a] !== part && !labelled.has(a)) return true;
  }
  return false;
}
