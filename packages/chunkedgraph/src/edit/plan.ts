/**
 * What an edit will write: a value, computed without writing anything, with provisional ids in place of the new nodes'
 * and without times. It may be committed as long as its preconditions hold, or thrown away.
 * @module
 */
import type { Operation } from "../contract.ts";
import type { EdgeEditKind } from "../rows/index.ts";
import { layerOf, type PlannedGraph } from "./planned-graph.ts";

/** A supervoxel edge that becomes active; smaller id first. */
export interface EdgeChange {
  readonly kind: EdgeEditKind;
  readonly smaller: bigint;
  readonly larger: bigint;
  readonly affinity: number;
  readonly area: bigint;
}

export interface NewNode {
  readonly provisional: bigint;
  readonly chunk: bigint;
  readonly children: readonly bigint[];
}

/** What the log says of an operation before it has a number and a time, and its new nodes their ids. */
export type OperationDraft = Pick<Operation, "kind" | "user" | "picks" | "supervoxels">;

export interface EditPlan {
  /** Each of these must have no successor when the plan is committed. */
  readonly preconditions: { readonly roots: BigUint64Array };
  /** New nodes, children before parents. */
  readonly nodes: readonly NewNode[];
  /** Child and parent of every parent cell. */
  readonly parents: readonly (readonly [child: bigint, parent: bigint])[];
  /** Cross-edge sets to write. */
  readonly cross: readonly { readonly node: bigint; readonly layer: number; readonly partners: readonly bigint[] }[];
  readonly edges: readonly EdgeChange[];
  readonly oldRoots: BigUint64Array;
  readonly oldL2: BigUint64Array;
  readonly newRoots: readonly bigint[];
  readonly newL2: readonly bigint[];
  readonly log: OperationDraft;
}

/** Everything that differs between the planned graph and the rows. */
export function planOf(graph: PlannedGraph, edges: readonly EdgeChange[], log: OperationDraft): EditPlan {
  const { layers } = graph.context.settings;
  const parents: [bigint, bigint][] = [];
  const cross: EditPlan["cross"][number][] = [];
  for (const node of [...graph.made, ...graph.kept()]) {
    if (node.isNew || node.parentChanged) {
      if (node.parent !== 0n) parents.push([node.id, node.parent]);
      else if (node.layer < layers) throw new Error(`the edit leaves node ${node.id} without a parent`);
    }
    for (const layer of node.changedLayers) cross.push({ node: node.id, layer, partners: [...node.partners(layer)] });
  }
  for (const { id, layer, made } of graph.made)
    if (layer === 2) for (const supervoxel of made!.children) parents.push([supervoxel, id]);
  const formers: bigint[] = [];
  for (const { former } of graph.replaced()) {
    formers.push(former.id);
    if (layerOf(former.id) === 2) continue;
    for (const child of former.children)
      if (!graph.isMoved(child)) throw new Error(`the edit replaces ${former.id} but leaves its child ${child} there`);
  }
  const onLayer = (layer: number): BigUint64Array =>
    BigUint64Array.from(formers.filter((id) => layerOf(id) === layer)).sort();
  const madeOn = (layer: number): bigint[] => graph.made.filter((node) => node.layer === layer).map(({ id }) => id);
  const oldRoots = onLayer(layers);
  return {
    preconditions: { roots: oldRoots },
    nodes: graph.made.map(({ id, made }) => ({ provisional: id, ...made! })),
    parents,
    cross,
    edges,
    oldRoots,
    oldL2: onLayer(2),
    newRoots: madeOn(layers),
    newL2: madeOn(2),
    log,
  };
}
