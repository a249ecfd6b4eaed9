import { type Column, memoryRowStore, type RowMutation, type RowStore } from "@pcg/rowstore";
import type { Xyz } from "@pcg/volume";
import type { GraphSettings } from "../../src/contract.ts";
import { IdLayout, layerOf, sortedDistinct } from "../../src/ids.ts";
import { groupByParent } from "../../src/parents.ts";
import * as rows from "../../src/rows/index.ts";
import { gridOf } from "../../src/settings.ts";
import { earlier } from "../../src/time.ts";

/** Far enough in the past that no test's clock is before it. */
export const INGEST_TIME = 1_600_000_000_000_000n;

export interface TestEdge {
  readonly a: bigint;
  readonly b: bigint;
  readonly affinity: number;
  readonly area?: bigint;
  readonly active: boolean;
}

export interface TestGraph {
  readonly layers: number;
  readonly supervoxels: readonly bigint[];
  readonly edges: readonly TestEdge[];
  readonly spatialBits?: number;
  readonly chunkSize?: Xyz;
}

export function layoutOf(layers: number, spatialBits = 10): IdLayout {
  return new IdLayout(layers, spatialBits);
}

export function settingsOf(graph: TestGraph): GraphSettings {
  const chunkSize = graph.chunkSize ?? [16, 16, 16];
  const chunks = 2 ** (graph.layers - 2);
  return {
    version: 1,
    name: "test",
    chunkSize,
    voxelOffset: [100, -50, 7],
    size: [chunks * chunkSize[0], chunks * chunkSize[1], chunks * chunkSize[2]],
    resolution: [8, 8, 40],
    layers: graph.layers,
    spatialBits: graph.spatialBits ?? 10,
    connectivity: 26,
    splitDisconnected: false,
    source: "test",
    ingestTime: INGEST_TIME,
  };
}

/** A position in the chunk of a supervoxel. */
export function positionIn(settings: GraphSettings, supervoxel: bigint): Xyz {
  const { begin } = gridOf(settings).chunkBox(supervoxel);
  return [begin[0] + 1, begin[1] + 1.5, begin[2] + 1];
}

/**
 * Writes a graph's rows as an ingest would, from supervoxels and edges alone and by brute force: every node's ancestors
 * are followed for every edge. Ids are numbered by smallest supervoxel.
 */
export async function buildGraph(graph: TestGraph, into?: RowStore): Promise<RowStore> {
  const store = into ?? memoryRowStore();
  const settings = settingsOf(graph);
  const layout = layoutOf(graph.layers, settings.spatialBits);
  const builder = new Builder(layout);
  const supervoxels = sortedDistinct(BigUint64Array.from(graph.supervoxels));
  for (const id of supervoxels) builder.useId(id);
  const active = graph.edges.filter((edge) => edge.active);
  builder.level2(supervoxels, active);
  for (let layer = 2; layer < graph.layers; layer++) builder.parents(layer, active);
  await store.mutate([
    ...builder.rows(active),
    ...edgeRows(layout, graph.edges),
    rows.settingsMutation(settings),
    rows.ingestMutation({ status: "complete" }),
  ]);
  return store;
}

class Builder {
  private readonly layout: IdLayout;
  private readonly parent = new Map<bigint, bigint>();
  private readonly children = new Map<bigint, bigint[]>();
  private readonly counters = new Map<bigint, bigint>();

  constructor(layout: IdLayout) {
    this.layout = layout;
  }

  useId(id: bigint): void {
    const chunk = this.layout.chunkOf(id);
    const segment = this.layout.segmentOf(id);
    if (segment > (this.counters.get(chunk) ?? 0n)) this.counters.set(chunk, segment);
  }

  level2(supervoxels: BigUint64Array, active: readonly TestEdge[]): void {
    const inside = active.filter(({ a, b }) => this.layout.crossLayer(a, b) === 1);
    const partners = adjacency(inside.map(({ a, b }) => [a, b] as const));
    this.group(
      supervoxels,
      (id) => partners.get(id) ?? [],
      () => 2,
      1,
    );
  }

  parents(layer: number, active: readonly TestEdge[]): void {
    const lifted = active
      .map(({ a, b }) => ({ pair: [this.standing(a, layer), this.standing(b, layer)] as const, a, b }))
      .map((edge) => ({ ...edge, edgeLayer: this.layout.crossLayer(edge.a, edge.b) }))
      .filter(({ edgeLayer }) => edgeLayer >= layer);
    const partners = adjacency(lifted.filter(({ edgeLayer }) => edgeLayer === layer).map(({ pair }) => pair));
    const next = new Map<bigint, number>();
    for (const { pair, edgeLayer } of lifted)
      if (edgeLayer > layer) for (const id of pair) next.set(id, Math.min(next.get(id) ?? 99, edgeLayer));
    const nodes = BigUint64Array.from([...this.children.keys()].filter((id) => layerOf(id) === layer)).sort();
    this.group(
      nodes,
      (id) => partners.get(id) ?? [],
      (id) => next.get(id) ?? 0,
      layer,
    );
  }

  /** The highest ancestor on `layer` or below. */
  standing(id: bigint, layer: number): bigint {
    for (;;) {
      const parent = this.parent.get(id);
      if (parent === undefined || layerOf(parent) > layer) return id;
      id = parent;
    }
  }

  rows(active: readonly TestEdge[]): RowMutation[] {
    const cross = new Map<bigint, Map<number, Set<bigint>>>();
    for (const { a, b } of active) {
      const edgeLayer = this.layout.crossLayer(a, b);
      for (let layer = 2; layer <= edgeLayer; layer++)
        for (const [s, t] of [
          [a, b],
          [b, a],
        ] as const) {
          const node = this.standing(s, layer);
          if (layerOf(node) !== layer) continue;
          const sets = getOr(cross, node, () => new Map<number, Set<bigint>>());
          getOr(sets, edgeLayer, () => new Set<bigint>()).add(this.standing(t, layer));
        }
    }
    const mutations: RowMutation[] = [];
    const set = (key: Uint8Array, column: Column, value: Uint8Array): void => {
      mutations.push({ key, ops: [{ op: "set", column, value, timestamp: INGEST_TIME }] });
    };
    for (const [id, parent] of this.parent) set(rows.nodeKey(id), rows.PARENT, rows.packId(parent));
    for (const [id, children] of this.children)
      set(rows.nodeKey(id), rows.CHILDREN, rows.packIds(BigUint64Array.from(children).sort()));
    for (const [id, sets] of cross)
      for (const [layer, partners] of sets)
        set(rows.nodeKey(id), rows.crossColumn(layer), rows.packIds(BigUint64Array.from(partners).sort()));
    for (const [chunk, last] of this.counters) mutations.push(rows.counterMutation(chunk, last));
    return mutations;
  }

  private group(
    ids: BigUint64Array,
    partnersOf: (id: bigint) => Iterable<bigint>,
    nextOf: (id: bigint) => number,
    layer: number,
  ): void {
    const offsets = new Uint32Array(ids.length + 1);
    const partners: bigint[] = [];
    ids.forEach((id, i) => {
      partners.push(...partnersOf(id));
      offsets[i + 1] = partners.length;
    });
    const groups = groupByParent({
      layer,
      layers: this.layout.layers,
      ids,
      offsets,
      partners: BigUint64Array.from(partners),
      nextLayer: Uint8Array.from(ids, nextOf),
    });
    const made: bigint[] = [];
    ids.forEach((id, i) => {
      const group = groups.groupOf[i]!;
      if (made[group] === undefined) {
        const chunk = this.layout.ancestorChunk(id, groups.parentLayer[group]!);
        const segment = (this.counters.get(chunk) ?? 0n) + 1n;
        this.counters.set(chunk, segment);
        made[group] = this.layout.nodeId(chunk, segment);
        this.children.set(made[group]!, []);
      }
      this.parent.set(id, made[group]!);
      this.children.get(made[group]!)!.push(id);
    });
  }
}

function edgeRows(layout: IdLayout, edges: readonly TestEdge[]): RowMutation[] {
  const blocks = new Map<string, { chunk: bigint; part: rows.EdgePart; edges: TestEdge[] }>();
  for (const edge of edges) {
    const chunk = layout.chunkOf([edge.a, edge.b].reduce(earlier));
    const layer = layout.crossLayer(edge.a, edge.b);
    const part: rows.EdgePart = edge.affinity === rows.USER_AFFINITY ? "joined" : layer === 1 ? "chunk" : "faces";
    getOr(blocks, `${chunk} ${part}`, () => ({ chunk, part, edges: [] })).edges.push(edge);
  }
  return Array.from(blocks.values(), ({ chunk, part, edges: own }) => ({
    key: rows.edgesKey(chunk),
    ops: [
      {
        op: "set",
        column: rows.blockColumn(part),
        timestamp: INGEST_TIME,
        value: rows.encodeEdges(layout, chunk, {
          pairs: BigUint64Array.from(own.flatMap(({ a, b }) => [a, b])),
          affinities: Float32Array.from(own, ({ affinity }) => affinity),
          areas: BigUint64Array.from(own, ({ area }) => area ?? 1n),
          active: Uint8Array.from(own, (edge) => (edge.active ? 1 : 0)),
        }),
      },
    ],
  }));
}

function adjacency(pairs: readonly (readonly [bigint, bigint])[]): Map<bigint, bigint[]> {
  const partners = new Map<bigint, bigint[]>();
  for (const [a, b] of pairs) {
    getOr(partners, a, () => []).push(b);
    getOr(partners, b, () => []).push(a);
  }
  return partners;
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
