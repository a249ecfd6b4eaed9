/** A cut of the supervoxel graph. Supervoxels are ids of the input. */
export interface Cut {
  /** The input's edges that the cut removes: pairs, smaller id first, ascending, distinct. */
  readonly edges: BigUint64Array;
  /**
   * The connected parts that remain: one per group, in the order of the groups, then the rest, largest first. Members ascend.
   * (In a preview of an illegal cut a group's part may be empty, where another group's part holds its labels.)
   */
  readonly parts: readonly BigUint64Array[];
  /** Per part: the group on whose side it is. */
  readonly sides: readonly number[];
  /** Per part: how many vertices of the contracted graph it has, where supervoxels joined by infinite edges count once. */
  readonly vertexCounts: readonly number[];
  /** Per part and group: how many labelled vertices of the group it holds. */
  readonly labelCounts: readonly (readonly number[])[];
  /** Weight of the cut edges. */
  readonly flow: number;
  /** How far from the lightest cut this one can be. */
  readonly certificate: Certificate;
  /** If asked for: what held the groups together. */
  readonly explanation?: Explanation;
  /** If asked for: other cuts, lightest first. A single group's can be lighter than its cut, which conductance chose. */
  readonly alternatives?: readonly Alternative[];
}

/** Bounds on the lightest cut between the groups' seed trees (direct mode: their labels). */
export interface Certificate {
  /** No cut is lighter than this: the flow itself for two groups, half the sum of the isolating cuts for more. */
  readonly lowerBound: number;
  /** flow / lowerBound, 1 for an exact cut. */
  readonly ratio: number;
  /** What the ratio can be at worst: 1 for two groups, 2 − 2/k for k. */
  readonly guarantee: number;
}

/** Why the cut costs what it does. */
export interface Explanation {
  /** Per group: the supervoxels (representatives) of the paths that connect its labels. */
  readonly trees: readonly BigUint64Array[];
  /** Flows that prove the cut: one from group 0 to group 1, or, for more groups, one from each group to the others. */
  readonly flows: readonly CarriedFlow[];
}

/** The edges that carry a maximum flow. */
export interface CarriedFlow {
  readonly from: number;
  /** Pairs of supervoxels in the direction of the flow, ascending. */
  readonly edges: BigUint64Array;
  /** Per pair: how much it carries. Of two groups, every edge of the cut carries its affinity, to the last bit. */
  readonly amounts: Float64Array;
}

/** Another cut that passes the same checks. */
export interface Alternative {
  readonly edges: BigUint64Array;
  readonly parts: readonly BigUint64Array[];
  readonly flow: number;
}

/** What can be wrong with a proofreader's points, stable across releases.
 *
 * | code | upstream's class | means |
 * |---|---|---|
 * | `LABEL_NOT_IN_GRAPH` | precondition | a label has no edge here |
 * | `SHARED_SUPERVOXEL` | precondition | groups share a supervoxel (or its chain of infinite edges), and none may be split |
 * | `BLOCKED_BY_LABELS` | precondition | a group is connected only across another's labels, and none may be split |
 * | `NOT_CONNECTED` | precondition | a group (and none may be split), or in direct mode the groups, are not connected |
 * | `PATHS_OVERLAP` | precondition | the groups cannot be connected side by side; cut in steps |
 * | `GROUP_SEVERED` | precondition | the cut tears a group apart |
 * | `ISOLATING_CUT` | precondition | the cut would cut off the labelled points alone |
 * | `CONTRADICTION` | precondition | mustJoin or mustCut contradict the groups or each other |
 * | `ONLY_INFINITE_EDGES` | postcondition | nothing here can be cut |
 * | `EMPTY_CUT` | postcondition | the groups are apart already |
 */
export type RejectionCode =
  | "LABEL_NOT_IN_GRAPH"
  | "SHARED_SUPERVOXEL"
  | "BLOCKED_BY_LABELS"
  | "NOT_CONNECTED"
  | "PATHS_OVERLAP"
  | "GROUP_SEVERED"
  | "ISOLATING_CUT"
  | "CONTRADICTION"
  | "ONLY_INFINITE_EDGES"
  | "EMPTY_CUT";

/** A cut that was found and may be made. */
export interface CutResult extends Cut {
  readonly kind: "cut";
}

/** What the same call without `preview` would cut, legal or not. */
export interface PreviewResult extends Cut {
  readonly kind: "preview";
  /** Whether the same call without `preview` gives this cut; else it gives the first of `problems`. */
  readonly legal: boolean;
  readonly problems: readonly Problem[];
}

/** The points cannot be parted before supervoxels are: split these, then ask again with the fragments. */
export interface SvSplitRequired {
  readonly kind: "svSplitRequired";
  /** Which condition: see {@link RejectionCode}. */
  readonly code: "SHARED_SUPERVOXEL" | "NOT_CONNECTED" | "BLOCKED_BY_LABELS" | "GROUP_SEVERED";
  readonly detail: string;
  /** The representatives to split, ascending. Empty only for `GROUP_SEVERED` under `svSplit: "always"`. */
  readonly reps: readonly SharedRep[];
  /** Every supervoxel of the graph and its representative. */
  readonly remapping: { readonly supervoxels: BigUint64Array; readonly reps: BigUint64Array };
}

/** A representative that several groups need; for `NOT_CONNECTED`, one that a label of the group in pieces lies in. */
export interface SharedRep {
  readonly rep: bigint;
  /** Its supervoxels, ascending. */
  readonly members: BigUint64Array;
  /** Numbers of the groups, ascending. */
  readonly groups: readonly number[];
}

/** Something a proofreader can mend. */
export interface Problem {
  readonly code: RejectionCode;
  /** For the proofreader: what happened and what to do. */
  readonly detail: string;
  /** The group it is about, if it is about one. */
  readonly group?: number;
}

/** No cut, and why. */
export interface Rejected extends Problem {
  readonly kind: "rejected";
  /** Which of upstream's two classes it is: bad points, or nothing that could be cut. */
  readonly condition: "precondition" | "postcondition";
  /** Weight of the cut that was found and refused, if one was. */
  readonly flow?: number;
}

export type MulticutResult = CutResult | PreviewResult | SvSplitRequired | Rejected;

/** A refusal of upstream's class for its code. */
export function reject(problem: Problem, flow?: number): Rejected {
  const late = problem.code === "ONLY_INFINITE_EDGES" || problem.code === "EMPTY_CUT";
  return {
    kind: "rejected",
    ...problem,
    condition: late ? "postcondition" : "precondition",
    ...(flow === undefined ? {} : { flow }),
  };
}
