/**
 * A plain reading of the data model, voxel by voxel and set by set, to compare an ingest with. Slow; for small volumes.
 */
import type { RowStore } from "@pcg/rowstore";
import type { Box, Xyz } from "@pcg/volume";
import type { GraphSettings } from "../../src/contract.ts";
import { IdLayout, layerOf } from "../../src/ids.ts";
import {
  allEdges,
  allNodes,
  crossLayerOf,
  decodeEdges,
  idOfKey,
  isChildrenCell,
  isParentCell,
  unpackId,
  unpackIds,
} from "../../src/rows/index.ts";

export interface Edge {
  readonly a: bigint;
  readonly b: bigint;
  readonly affinity: number;
  readonly area: bigint;
  readonly active: boolean;
}

export interface NaiveSupervoxels {
  /** Per voxel, x fastest. */
  readonly voxels: BigUint64Array;
  readonly labelOf: Map<bigint, bigint>;
  /** Contacts of supervoxels over voxel faces, all of them, by `a,b` with a < b. */
  readonly edges: Map<string, Edge>;
}

type Labels = ArrayLike<bigint | number>;

/** Supervoxels and their contacts by flood fill. */
export function naiveSupervoxels(labels: Labels, settings: GraphSettings): NaiveSupervoxels {
  const { size, chunkSize, connectivity } = settings;
  const layout = new IdLayout(settings.layers, settings.spatialBits);
  const [sx, sy, sz] = size;
  const at = (x: number, y: number, z: number): number => x + sx * (y + sy * z);
  const chunkOf = (v: Xyz): string => v.map((p, axis) => Math.floor(p / chunkSize[axis]!)).join();
  const voxels = new BigUint64Array(sx * sy * sz);
  const labelOf = new Map<bigint, bigint>();
  const counts = new Map<string, bigint>();
  const steps = neighbours(connectivity);
  for (let z = 0; z < sz; z++)
    for (let y = 0; y < sy; y++)
      for (let x = 0; x < sx; x++) {
        const first = at(x, y, z);
        const label = labels[first]!;
        if (BigInt(label) === 0n || voxels[first] !== 0n) continue;
        const chunk = chunkOf([x, y, z]);
        const number = (counts.get(chunk) ?? 0n) + 1n;
        counts.set(chunk, number);
        const coords = chunk.split(",").map(Number) as unknown as Xyz;
        const id = layout.chunkId(1, coords) | number;
        labelOf.set(id, BigInt(label));
        const open: Xyz[] = [[x, y, z]];
        voxels[first] = id;
        for (let v = open.pop(); v !== undefined; v = open.pop())
          for (const step of steps) {
            const w: Xyz = [v[0] + step[0], v[1] + step[1], v[2] + step[2]];
            if (w.some((p, axis) => p < 0 || p >= size[axis]!) || chunkOf(w) !== chunk) continue;
            const i = at(...w);
            if (labels[i] !== label || voxels[i] !== 0n) continue;
            voxels[i] = id;
            open.push(w);
          }
      }
  return { voxels, labelOf, edges: naiveContacts(voxels, size, labelOf) };
}

function naiveContacts(voxels: BigUint64Array, size: Xyz, labelOf: Map<bigint, bigint>): Map<string, Edge> {
  const edges = new Map<string, Edge>();
  const [sx, sy, sz] = size;
  const strides = [1, sx, sx * sy];
  for (let z = 0; z < sz; z++)
    for (let y = 0; y < sy; y++)
      for (let x = 0; x < sx; x++)
        for (let axis = 0; axis < 3; axis++) {
          if ([x, y, z][axis]! + 1 >= size[axis]!) continue;
          const i = x + sx * (y + sy * z);
          const [u, v] = [voxels[i]!, voxels[i + strides[axis]!]!];
          if (u === v || u === 0n || v === 0n) continue;
          const [a, b] = u < v ? [u, v] : [v, u];
          const area = (edges.get(`${a},${b}`)?.area ?? 0n) + 1n;
          const active = labelOf.get(a) === labelOf.get(b);
          edges.set(`${a},${b}`, { a, b, area, active, affinity: active ? Number.POSITIVE_INFINITY : Number(area) });
        }
  return edges;
}

function neighbours(connectivity: 6 | 26): Xyz[] {
  const all: Xyz[] = [];
  for (let z = -1; z <= 1; z++) for (let y = -1; y <= 1; y++) for (let x = -1; x <= 1; x++) all.push([x, y, z]);
  return all.filter(([x, y, z]) => {
    const distance = Math.abs(x) + Math.abs(y) + Math.abs(z);
    return distance > 0 && (connectivity === 26 || distance === 1);
  });
}

/** All edges in the rows by part. */
export async function storedEdges(rows: RowStore, layout: IdLayout): Promise<Map<string, Edge[]>> {
  const parts = new Map<string, Edge[]>([
    ["chunk", []],
    ["faces", []],
    ["joined", []],
  ]);
  for await (const { key, cells } of rows.read({ ranges: [allEdges()] })) {
    for (const { qualifier, value } of cells) {
      const { pairs, affinities, areas, active } = decodeEdges(layout, idOfKey(key), value);
      const part = parts.get(new TextDecoder().decode(qualifier))!;
      affinities.forEach((affinity, e) => {
        part.push({ a: pairs[2 * e]!, b: pairs[2 * e + 1]!, affinity, area: areas[e]!, active: active[e] === 1 });
      });
    }
  }
  return parts;
}

export interface NodeText {
  readonly id: bigint;
  readonly children: readonly bigint[];
  readonly parent: bigint | undefined;
  readonly cross: ReadonlyMap<number, readonly bigint[]>;
}

export async function storedNodes(rows: RowStore): Promise<Map<bigint, NodeText>> {
  const nodes = new Map<bigint, NodeText>();
  for await (const { key, cells } of rows.read({ ranges: [allNodes()] })) {
    const id = idOfKey(key);
    const children = cells.find(isChildrenCell);
    const parent = cells.find(isParentCell);
    const cross = new Map<number, bigint[]>();
    for (const cell of cells) {
      const layer = crossLayerOf(cell);
      if (layer !== undefined) cross.set(layer, [...unpackIds(cell.value)]);
    }
    nodes.set(id, {
      id,
      children: children === undefined ? [] : [...unpackIds(children.value)],
      parent: parent === undefined ? undefined : unpackId(parent.value),
      cross,
    });
  }
  return nodes;
}

/**
 * The nodes that supervoxels and active edges must give, by the definitions alone: a parent is a component of the lifted edges
 * of one layer; a lone node waits for the first layer on which it has an edge, else for the root layer.
 */
export function naiveNodes(
  supervoxels: Iterable<bigint>,
  active: readonly Edge[],
  layout: IdLayout,
): Map<bigint, NodeText> {
  const { layers } = layout;
  const order = [...supervoxels].sort(compare);
  const parent = new Map<bigint, bigint>();
  const children = new Map<bigint, bigint[]>();
  let standing = new Map<bigint, bigint>(order.map((id) => [id, id]));
  const ancestors: Map<bigint, bigint>[] = [new Map(), new Map(standing)];
  for (let layer = 2; layer <= layers; layer++) {
    const below = layer - 1;
    const links = new Map<bigint, Set<bigint>>();
    const reaching = new Set<bigint>();
    for (const { a, b } of active) {
      const crossLayer = layout.crossLayer(a, b);
      const [p, q] = [standing.get(a)!, standing.get(b)!];
      if (crossLayer === layer) reaching.add(p).add(q);
      if (crossLayer !== below) continue;
      links.set(p, (links.get(p) ?? new Set()).add(q));
      links.set(q, (links.get(q) ?? new Set()).add(p));
    }
    const numbers = new Map<bigint, bigint>();
    const lifted = new Map<bigint, bigint>();
    for (const supervoxel of order) {
      const first = standing.get(supervoxel)!;
      if (lifted.has(first)) continue;
      const set = new Set([first]);
      for (const node of set) for (const other of links.get(node) ?? []) set.add(other);
      const skips = set.size === 1 && layer > 2 && layer < layers && !reaching.has(first);
      let id = first;
      if (!skips) {
        const chunk = layout.ancestorChunk(first, layer);
        const number = (numbers.get(chunk) ?? 0n) + 1n;
        numbers.set(chunk, number);
        id = layout.nodeId(chunk, number);
        children.set(id, [...set].sort(compare));
        for (const child of set) parent.set(child, id);
      }
      for (const node of set) lifted.set(node, id);
    }
    standing = new Map(order.map((supervoxel) => [supervoxel, lifted.get(standing.get(supervoxel)!)!]));
    ancestors.push(new Map(standing));
  }
  return describe(order, active, layout, parent, children, ancestors);
}

function describe(
  order: readonly bigint[],
  active: readonly Edge[],
  layout: IdLayout,
  parent: Map<bigint, bigint>,
  children: Map<bigint, bigint[]>,
  ancestors: readonly Map<bigint, bigint>[],
): Map<bigint, NodeText> {
  const cross = new Map<bigint, Map<number, Set<bigint>>>();
  for (const { a, b } of active) {
    const crossLayer = layout.crossLayer(a, b);
    for (const [s, t] of [
      [a, b],
      [b, a],
    ] as const) {
      for (let node = parent.get(s); node !== undefined; node = parent.get(node)) {
        const layer = layerOf(node);
        if (crossLayer < layer) continue;
        const sets = cross.get(node) ?? new Map<number, Set<bigint>>();
        cross.set(node, sets);
        sets.set(crossLayer, (sets.get(crossLayer) ?? new Set()).add(ancestors[layer]!.get(t)!));
      }
    }
  }
  const nodes = new Map<bigint, NodeText>();
  for (const id of [...order, ...children.keys()]) {
    const sets = [...(cross.get(id) ?? [])].map(([layer, set]) => [layer, [...set].sort(compare)] as const);
    nodes.set(id, { id, children: children.get(id) ?? [], parent: parent.get(id), cross: new Map(sets) });
  }
  return nodes;
}

/** Nodes as sorted lines, for comparing and for reading what differs. */
export function nodeLines(nodes: Map<bigint, NodeText>): string[] {
  return [...nodes.values()]
    .sort((a, b) => compare(a.id, b.id))
    .map(({ id, children, parent, cross }) => {
      const sets = [...cross].sort((a, b) => a[0] - b[0]).map(([layer, set]) => `${layer}:${set.join()}`);
      return `${id} children ${children.join()} parent ${parent ?? "none"} cross ${sets.join(" ")}`;
    });
}

export function edgeLines(edges: Iterable<Edge>): string[] {
  return Array.from(edges, ({ a, b, affinity, area, active }) => `${a} ${b} ${affinity} ${area} ${active}`).sort();
}

export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function boxOf({ voxelOffset, size }: { readonly voxelOffset: Xyz; readonly size: Xyz }): Box {
  return {
    begin: voxelOffset,
    end: [voxelOffset[0] + size[0], voxelOffset[1] + size[1], voxelOffset[2] + size[2]],
  };
}
