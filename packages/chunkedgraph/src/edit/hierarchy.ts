/**
 * Carries new active edges up the hierarchy, layer by layer, inside a planned graph (docs: `src/parents.ts` has the rule
 * for parents). On each layer z:
 *
 * 1. new nodes of z take over their children's cross edges, each partner lifted to the node that stands for it on z;
 * 2. kept nodes of z that name a node which no longer stands on z name its successor instead: they are found among the
 *    partners of that node and their ancestors, because an active edge is stored at both its ends;
 * 3. new edges are added to the kept nodes of z at their ends;
 * 4. components that hold a new node or a new edge are grouped again: a group that already is exactly the children of
 *    one parent keeps it, any other gets a new parent.
 *
 * New edges only ever join groups and lower parents, so what stood together on a layer still does, and an old node is
 * replaced by a new one of its own layer. Removing edges needs another rule.
 * @module
 */
import { groupByParent } from "../parents.ts";
import type { NodeRecord } from "../view/node-reader.ts";
import { layerOf, type PlannedGraph, type PlannedNode } from "./planned-graph.ts";

/** A cross-chunk edge that becomes active. */
export interface NewCrossEdge {
  readonly ends: readonly [bigint, bigint];
  /** Cross layer, at least 2. */
  readonly layer: number;
}

/** Builds everything above level 2, where the edit's new nodes and edges are already planned. */
export async function buildUpwards(graph: PlannedGraph, edges: readonly NewCrossEdge[]): Promise<void> {
  const { layers } = graph.context.settings;
  for (let layer = 2; layer < layers; layer++) {
    const made = graph.made.filter((node) => node.layer === layer);
    await inheritCrossEdges(graph, made, layer);
    await renamePartners(graph, layer);
    const touched = await addCrossEdges(graph, edges, layer);
    await groupAgain(graph, new Set([...made, ...touched]), layer);
  }
}

/** Step 1. Level-2 nodes take over from the nodes they replace, others from their children. */
async function inheritCrossEdges(graph: PlannedGraph, made: readonly PlannedNode[], layer: number): Promise<void> {
  const inherited: [heir: PlannedNode, edgeLayer: number, partner: bigint][] = [];
  for (const heir of made) {
    if (layer === 2) {
      for (const former of heir.formers)
        for (const [edgeLayer, partners] of former.cross)
          for (const partner of partners) inherited.push([heir, edgeLayer, partner]);
      continue;
    }
    for (const child of heir.made!.children.map((id) => graph.get(id)))
      for (const edgeLayer of child.crossLayers)
        if (edgeLayer >= layer)
          for (const partner of child.partners(edgeLayer)) inherited.push([heir, edgeLayer, partner]);
  }
  const standing = await graph.standing(
    inherited.map(([, , partner]) => partner),
    layer,
  );
  for (const [heir, edgeLayer, partner] of inherited) heir.addPartner(edgeLayer, standing.get(partner)!);
}

/** Step 2. */
async function renamePartners(graph: PlannedGraph, layer: number): Promise<void> {
  const gone = [...noLongerStanding(graph, layer)];
  const successors = await graph.standing(
    gone.map(({ id }) => id),
    layer,
  );
  const far = (edgeLayer: number): boolean => edgeLayer >= layer;
  const partners = gone.flatMap(({ cross }) =>
    [...cross].flatMap(([edgeLayer, ids]) => (far(edgeLayer) ? [...ids] : [])),
  );
  const stood = await graph.stood(partners, layer);
  const naming = (partner: bigint): boolean => layerOf(partner) === layer && !graph.isReplaced(partner);
  await graph.load([...stood.values()].filter(naming));
  for (const { id, cross } of gone)
    for (const [edgeLayer, ids] of cross) {
      if (!far(edgeLayer)) continue;
      const holders = new Set(Array.from(ids, (partner) => stood.get(partner)!).filter(naming));
      for (const holder of holders) graph.get(holder).replacePartner(edgeLayer, id, successors.get(id)!);
    }
}

/** Old nodes that stood for themselves on the layer and do not after the edit. */
function* noLongerStanding(graph: PlannedGraph, layer: number): Iterable<NodeRecord> {
  const stood = ({ id, parent }: NodeRecord): boolean =>
    layerOf(id) <= layer && parent !== 0n && layerOf(parent) > layer;
  for (const { former } of graph.replaced()) if (stood(former)) yield former;
  for (const node of graph.kept())
    if (node.parentChanged && stood(node.record!) && layerOf(node.parent) <= layer) yield node.record!;
}

/** Step 3. @returns the nodes of the layer that the edges end in, as far as they may need another parent. */
async function addCrossEdges(
  graph: PlannedGraph,
  edges: readonly NewCrossEdge[],
  layer: number,
): Promise<PlannedNode[]> {
  const reaching = edges.filter((edge) => edge.layer >= layer);
  const standing = await graph.standing(
    reaching.flatMap(({ ends }) => ends),
    layer,
  );
  const added: { readonly at: bigint; readonly edgeLayer: number; readonly partner: bigint }[] = [];
  for (const { ends, layer: edgeLayer } of reaching) {
    const [a, b] = [standing.get(ends[0])!, standing.get(ends[1])!];
    if (layerOf(a) === layer) added.push({ at: a, edgeLayer, partner: b });
    if (layerOf(b) === layer) added.push({ at: b, edgeLayer, partner: a });
  }
  await graph.load(added.map(({ at }) => at));
  const touched: PlannedNode[] = [];
  for (const { at, edgeLayer, partner } of added) {
    const node = graph.get(at);
    node.addPartner(edgeLayer, partner);
    touched.push(node);
  }
  return touched;
}

/** Step 4. */
async function groupAgain(graph: PlannedGraph, touched: ReadonlySet<PlannedNode>, layer: number): Promise<void> {
  if (touched.size === 0) return;
  await graph.load(oldParents(touched));
  await graph.load(siblings(graph, touched));
  const members = await component(graph, touched, layer);
  const groups = groupByParent(layerNodes(graph, members, layer));
  const grouped: PlannedNode[][] = Array.from({ length: groups.count }, () => []);
  members.forEach((node, i) => {
    grouped[groups.groupOf[i]!]!.push(node);
  });
  // Members may have parents that were not among those of the touched nodes.
  await graph.load(oldParents(members));
  grouped.forEach((group, i) => {
    setParent(graph, group, groups.parentLayer[i]!);
  });
}

/** The old nodes directly above any of the nodes. */
function oldParents(nodes: Iterable<PlannedNode>): Set<bigint> {
  const parents = new Set<bigint>();
  for (const node of nodes) for (const parent of node.oldParents) parents.add(parent);
  return parents;
}

/** Kept nodes under the old parents: the likely members of the components, read at once. */
function siblings(graph: PlannedGraph, nodes: Iterable<PlannedNode>): bigint[] {
  return [...oldParents(nodes)].flatMap((parent) =>
    [...graph.get(parent).record!.children].filter((child) => !graph.isReplaced(child)),
  );
}

/** All nodes that edges of the layer connect with the given ones, by ascending id. */
async function component(graph: PlannedGraph, seeds: Iterable<PlannedNode>, layer: number): Promise<PlannedNode[]> {
  const members = new Map<bigint, PlannedNode>();
  let frontier = new Set(Array.from(seeds, (node) => node.id));
  while (frontier.size > 0) {
    await graph.load(frontier);
    const next = new Set<bigint>();
    for (const id of frontier) members.set(id, graph.get(id));
    for (const id of frontier)
      for (const partner of graph.get(id).partners(layer)) {
        if (graph.isReplaced(partner)) throw new Error(`node ${id} still names ${partner}, which the edit replaces`);
        if (!members.has(partner)) next.add(partner);
      }
    frontier = next;
  }
  return [...members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function layerNodes(
  graph: PlannedGraph,
  members: readonly PlannedNode[],
  layer: number,
): Parameters<typeof groupByParent>[0] {
  const offsets = new Uint32Array(members.length + 1);
  const partners: bigint[] = [];
  members.forEach((node, i) => {
    for (const partner of node.partners(layer)) partners.push(partner);
    offsets[i + 1] = partners.length;
  });
  return {
    layer,
    layers: graph.context.settings.layers,
    ids: BigUint64Array.from(members, (node) => node.id),
    offsets,
    partners: BigUint64Array.from(partners),
    nextLayer: Uint8Array.from(members, (node) => nextCrossLayer(node, layer)),
  };
}

/** The lowest layer above on which the node has a cross edge; 0: none. */
function nextCrossLayer(node: PlannedNode, layer: number): number {
  let next = 0;
  for (const edgeLayer of node.crossLayers) if (edgeLayer > layer && (next === 0 || edgeLayer < next)) next = edgeLayer;
  return next;
}

function setParent(graph: PlannedGraph, group: readonly PlannedNode[], parentLayer: number): void {
  const first = group[0]!;
  if (first.record !== undefined && first.record.parent !== 0n) {
    const present = graph.get(first.record.parent).record!;
    const unchanged =
      layerOf(present.id) === parentLayer &&
      present.children.length === group.length &&
      group.every((node) => node.record?.parent === present.id);
    if (unchanged) return;
  }
  const old = Array.from(oldParents(group), (id) => graph.get(id).record!);
  const chunk = graph.context.layout.ancestorChunk(first.made?.chunk ?? first.id, parentLayer);
  const children = group.map((node) => node.id);
  const parent = graph.create(parentLayer, chunk, children, old);
  for (const node of group) node.parent = parent.id;
}
