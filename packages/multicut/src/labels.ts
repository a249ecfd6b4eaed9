import { describe, isDetached } from "./arguments.ts";
import { type Contraction, membersOf } from "./contract.ts";
import { MulticutError } from "./errors.ts";
import { rankOf } from "./id-table.ts";
import { type Problem, type Rejected, reject, type SharedRep, type SvSplitRequired } from "./result.ts";

/**
 * The vertices that supervoxels lie in, without repeats, ascending; or the smallest supervoxel that has no edge here.
 *
 * @throws MulticutError `INVALID_INPUT` for a contraction that is none, `INVALID_GROUPS` for ids of another kind.
 */
export function verticesOf(contraction: Contraction, ids: BigUint64Array): Int32Array | bigint {
  if (!(contraction?.ids instanceof BigUint64Array && contraction.vertexOf instanceof Int32Array)) {
    throw new MulticutError("INVALID_INPUT", `contraction must be what contract gives, got ${describe(contraction)}`);
  }
  if (!(ids instanceof BigUint64Array) || isDetached(ids)) {
    throw new MulticutError("INVALID_GROUPS", `ids must be a BigUint64Array, got ${describe(ids)}`);
  }
  const vertices = new Set<number>();
  let unknown: bigint | undefined;
  for (const id of ids) {
    const rank = rankOf(contraction.ids, id);
    if (rank >= 0) vertices.add(contraction.vertexOf[rank]!);
    else if (unknown === undefined || id < unknown) unknown = id;
  }
  if (unknown !== undefined) return unknown;
  return Int32Array.from(vertices).sort();
}

export function notInGraph(id: bigint, what: string): Rejected {
  return reject({
    code: "LABEL_NOT_IN_GRAPH",
    detail: `Supervoxel ${id} of ${what} has no edge in this graph. Choose another point, or widen the box around the points.`,
  });
}

/** Vertices that labels of several groups lie in, with those groups; ascending. */
export function sharedVertices(groups: readonly Int32Array[]): Map<number, number[]> {
  const holders = new Map<number, number[]>();
  for (const [g, labels] of groups.entries()) for (const v of labels) holders.set(v, [...(holders.get(v) ?? []), g]);
  return new Map([...holders].filter(([, list]) => list.length > 1).sort(([a], [b]) => a - b));
}

/** The answer that hands over to the supervoxel split. */
export function svSplitRequired(
  contraction: Contraction,
  code: SvSplitRequired["code"],
  detail: string,
  shared: ReadonlyMap<number, readonly number[]>,
): SvSplitRequired {
  const { ids, vertexOf, reps } = contraction;
  const remapped = new BigUint64Array(ids.length);
  for (let i = 0; i < ids.length; i++) remapped[i] = reps[vertexOf[i]!]!;
  return {
    kind: "svSplitRequired",
    code,
    detail,
    reps: [...shared].map(([v, groups]): SharedRep => ({ rep: reps[v]!, members: membersOf(contraction, v), groups })),
    remapping: { supervoxels: ids.slice(), reps: remapped },
  };
}

/** The answer to a condition that a supervoxel split may mend: split if the caller can, else choose other points. */
export function splitOrReject(
  contraction: Contraction,
  svSplit: "whenNamed" | "always" | "never",
  problem: Problem & { readonly code: SvSplitRequired["code"] },
  shared: ReadonlyMap<number, readonly number[]>,
  flow?: number,
): SvSplitRequired | Rejected {
  if (svSplit === "always" || (svSplit === "whenNamed" && shared.size > 0)) {
    return svSplitRequired(contraction, problem.code, problem.detail, shared);
  }
  return reject(problem, flow);
}
