import { assign } from "./assign.ts";
import type { Assignment } from "./assignment.ts";
import { checkCut, type Team } from "./check-cut.ts";
import { type Components, componentsWithin } from "./components.ts";
import type { Contraction } from "./contract.ts";
import { splitOrReject, svSplitRequired } from "./labels.ts";
import { type Problem, type Rejected, reject, type SvSplitRequired } from "./result.ts";
import { plantTrees } from "./seed-trees.ts";
import type { Settings } from "./settings.ts";
import type { Steps } from "./steps.ts";

/** A cut between groups of label vertices, checked. */
export interface Solved {
  readonly kind: "solved";
  readonly assignment: Assignment;
  readonly components: Components;
  readonly teams: readonly Team[];
  readonly problems: readonly Problem[];
}

/**
 * Ties each group together, cuts between them, and checks what remains: upstream's order of conditions.
 *
 * @param isAsGiven per group: whether its labels are the proofreader's alone. Others may be isolated: that was asked for.
 */
export function* solveGroups(
  contraction: Contraction,
  groups: readonly Int32Array[],
  isAsGiven: readonly boolean[],
  settings: Settings,
): Steps<Solved | SvSplitRequired | Rejected> {
  const planted =
    settings.mode === "augmented" ? yield* plantTeams(contraction, groups, settings) : bareTeams(contraction, groups);
  if ("kind" in planted) return planted;
  const teams = planted.map((team, g) => (isAsGiven[g] === true ? team : { ...team, givenVertices: 0 }));
  const { graph } = contraction;
  yield;
  const assignment = yield* assign(
    graph,
    teams.map(({ terminal }) => terminal),
  );
  const components = componentsWithin(graph, assignment.side);
  return {
    kind: "solved",
    assignment,
    components,
    teams,
    problems: checkCut(graph, components, teams, settings.disallowIsolating),
  };
}

/** Augmented mode: seed trees hold the groups together. */
function* plantTeams(
  contraction: Contraction,
  groups: readonly Int32Array[],
  settings: Settings,
): Steps<Team[] | SvSplitRequired | Rejected> {
  const planted = yield* plantTrees(contraction.graph, groups);
  switch (planted.kind) {
    case "trees":
      return planted.trees.map(({ labels, vertices }) => ({
        labels,
        terminal: vertices,
        // A single label has no path, and then upstream never calls the cut isolating.
        givenVertices: labels.length > 1 ? vertices.length : 0,
      }));
    case "notConnected": {
      const { group } = planted;
      const problem = { ...notConnected(`The points of group ${group} are`), group };
      // No split is known to mend this, but "always" asks for one wherever upstream does.
      if (settings.svSplit !== "always") return reject(problem);
      const torn = new Map(Array.from(groups[group]!, (v) => [v, [group]]));
      return svSplitRequired(contraction, problem.code, problem.detail, torn);
    }
    case "blocked": {
      const { group, by } = planted;
      const shared = new Map(
        [...by].map((v) => [v, [group, groups.findIndex((labels) => labels.includes(v))].sort((a, b) => a - b)]),
      );
      const detail =
        `The points of group ${group} are connected only across the points of other groups. ` +
        "Split those supervoxels, or choose points farther apart.";
      return splitOrReject(contraction, settings.svSplit, { code: "BLOCKED_BY_LABELS", group, detail }, shared);
    }
    case "overlap":
      return reject({
        code: "PATHS_OVERLAP",
        group: planted.group,
        detail:
          `The paths between the points of group ${planted.group} cross those of another group, and neither can go around. ` +
          "Cut in several steps, with fewer points each.",
      });
  }
}

/** Direct mode: the labels alone. */
function bareTeams(contraction: Contraction, groups: readonly Int32Array[]): Team[] | Rejected {
  const { graph } = contraction;
  const { of } = componentsWithin(graph, new Int32Array(graph.size));
  const held = new Set(groups.flatMap((labels) => (labels.length === 0 ? [] : [...labels].map((v) => of[v]!))));
  if (held.size > 1) return reject(notConnected("The points of the groups are"));
  return groups.map((labels) => ({ labels, terminal: labels, givenVertices: labels.length }));
}

function notConnected(who: string): Problem & { readonly code: "NOT_CONNECTED" } {
  return {
    code: "NOT_CONNECTED",
    detail: `${who} not connected in this graph. Choose points on one object, or widen the box around the points.`,
  };
}
