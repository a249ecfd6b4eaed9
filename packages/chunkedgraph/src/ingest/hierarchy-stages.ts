/**
 * The stages that make nodes: level 2 from supervoxels, then each layer from the one below, chunk by chunk.
 *
 * A node that has no edges to other chunks left gets its root at once: roots are numbered by their smallest supervoxel, and
 * which supervoxels are one object is known from the start. So a layer only carries on nodes that still reach further.
 *
 * Memory: the nodes that reach over the faces between the children of one chunk, some 200 bytes each with their edges.
 * @module
 */
import type { RowMutation } from "@pcg/rowstore";
import { mapConcurrent } from "@pcg/tasks";
import type { ChunkCoords } from "../ids.ts";
import { counterMutation } from "../rows/index.ts";
import { ChunkOrder } from "./chunk-order.ts";
import { supervoxelIds } from "./chunk-task.ts";
import { buildLevel2, type Face } from "./level2.ts";
import { NodeRows } from "./node-rows.ts";
import { type NodeTable, withoutLoneNodes } from "./node-table.ts";
import { decideParents, gatherNodes, liftNodes, type Parents } from "./parents.ts";
import type { Objects } from "./piece-stage.ts";
import { Scratch } from "./scratch.ts";
import type { SupervoxelCount } from "./supervoxel-count.ts";
import { runStage, type StageContext } from "./voxel-stages.ts";

/** Chunks decided at a time in the first step of a layer. */
const AT_ONCE = 8;
/** Chunks whose parents are remembered while a layer is lifted. */
const REMEMBERED = 64;

/** Makes all nodes of layer 2. Expects the chunks of layer 1 in `order`, which are those of layer 2. */
export async function runLevel2Stage(
  context: StageContext,
  order: ChunkOrder,
  count: SupervoxelCount,
  objects: Objects,
): Promise<void> {
  const { layout } = context.plan.grid;
  const scratch = new Scratch(context.scratch);
  const level2 = new ChunkOrder(context.plan.grid, 2);
  const chunkId = (ordinal: number): bigint => level2.chunkId(ordinal);
  await runStage(context, "l2", "level 2", order.total, {
    known: () => {},
    run: async (ordinal, signal) => {
      const faces = await facesAround(scratch, order, ordinal, signal);
      const { numbers, table } = buildLevel2(ordinal, faces, objects.joins, count, layout, chunkId);
      const supervoxels = supervoxelIds(order.chunkId(ordinal), count.count(ordinal)).subarray(1);
      const parents = BigUint64Array.from(numbers, (number) => table.ids[number - 1]!);
      const nodes = new NodeRows(context.plan.settings, objects.objectOf);
      nodes.addParents({ children: supervoxels, parents });
      nodes.addNodes(table, { children: supervoxels, parents });
      await scratch.writeNodes(2, ordinal, withoutLoneNodes(table), signal);
      return {
        result: [table.ids.length],
        rows: nodes.rows,
        counters: layout.layers > 2 ? counters(chunkId(ordinal), table.ids.length) : [],
      };
    },
  });
}

/** Makes all nodes of a layer above level 2. */
export async function runLayerStage(context: StageContext, layer: number, objects: Objects): Promise<void> {
  const { layout } = context.plan.grid;
  const scratch = new Scratch(context.scratch);
  const order = new ChunkOrder(context.plan.grid, layer);
  const below = new ChunkOrder(context.plan.grid, layer - 1);
  let finished = 0;
  for await (const _ of context.log.finished(`l${layer}`, context.signal)) finished++;
  if (finished < order.total) {
    await decideLayer(context, scratch, order, below, objects.objectOf);
  }
  const parentsOf = rememberParents(scratch, layer);
  await runStage(context, `l${layer}`, `layer ${layer}`, order.total, {
    known: () => {},
    run: async (ordinal, signal) => {
      const nodes = await readNodes(scratch, order, below, ordinal, signal);
      const around = new Set(Array.from(nodes.edges.partners, (partner) => order.ordinalOf(partner)));
      const own = await scratch.readParents(layer, ordinal, signal);
      const maps = new Map([[ordinal, parentMap(own)]]);
      for (const other of around) if (!maps.has(other)) maps.set(other, await parentsOf(other));
      const lifted = liftNodes(nodes, layer, (id) => maps.get(order.ordinalOf(id))?.get(id));
      const made = new Set(own.parents);
      const rows = new NodeRows(context.plan.settings, objects.objectOf);
      rows.addParents(own);
      rows.addNodes(lifted, own);
      if (layer < layout.layers) await scratch.writeNodes(layer, ordinal, withoutLoneNodes(lifted), signal);
      return {
        result: [made.size],
        rows: rows.rows,
        counters: layer < layout.layers ? counters(order.chunkId(ordinal), made.size) : [],
      };
    },
  });
}

/** Decides the parents of every chunk of a layer; quick, so it is simply done again after an interruption. */
async function decideLayer(
  context: StageContext,
  scratch: Scratch,
  order: ChunkOrder,
  below: ChunkOrder,
  objectOf: Uint32Array,
): Promise<void> {
  const { layout } = context.plan.grid;
  const { layer } = order;
  const numberOf =
    layer === layout.layers
      ? (firstSupervoxel: number): number => objectOf[firstSupervoxel]! + 1
      : (_: number, before: number): number => before + 1;
  const decide = async (_: unknown, { index, signal }: { index: number; signal: AbortSignal }): Promise<void> => {
    const nodes = await readNodes(scratch, order, below, index, signal);
    const parents = decideParents(nodes, layer, order.chunkId(index), layout, numberOf);
    await scratch.writeParents(layer, index, parents, signal);
  };
  const chunks = {
    length: order.total,
    *[Symbol.iterator]() {
      for (let i = 0; i < this.length; i++) yield i;
    },
  };
  for await (const _ of mapConcurrent(chunks, AT_ONCE, decide, { signal: context.signal }));
}

/** All nodes that stand in the chunks below a chunk. */
async function readNodes(
  scratch: Scratch,
  order: ChunkOrder,
  below: ChunkOrder,
  ordinal: number,
  signal: AbortSignal,
): Promise<NodeTable> {
  const [x, y, z] = order.coords(ordinal);
  const tables: NodeTable[] = [];
  for (let child = 0; child < 8; child++) {
    const coords: ChunkCoords = [2 * x + (child >> 2), 2 * y + ((child >> 1) & 1), 2 * z + (child & 1)];
    if (coords.some((c, axis) => c >= below.counts[axis]!)) continue;
    tables.push(await scratch.readNodes(below.layer, below.ordinal(coords), signal));
  }
  return gatherNodes(tables);
}

/** The links over all six faces of a chunk; those of its lower faces belong to the chunks below. */
async function facesAround(scratch: Scratch, order: ChunkOrder, ordinal: number, signal: AbortSignal): Promise<Face[]> {
  const faces: Face[] = [];
  const own = await scratch.readFaces(ordinal, signal);
  for (const axis of [0, 1, 2] as const) {
    const above = order.neighbour(ordinal, axis, 1);
    if (above !== undefined) faces.push({ neighbour: above, upper: true, pairs: own[axis] });
    const under = order.neighbour(ordinal, axis, -1);
    if (under === undefined) continue;
    faces.push({ neighbour: under, upper: false, pairs: (await scratch.readFaces(under, signal))[axis] });
  }
  return faces;
}

type ParentMap = ReadonlyMap<bigint, bigint>;

function rememberParents(scratch: Scratch, layer: number): (ordinal: number) => Promise<ParentMap> {
  const remembered = new Map<number, ParentMap>();
  return async (ordinal) => {
    const known = remembered.get(ordinal);
    if (known !== undefined) return known;
    const map = parentMap(await scratch.readParents(layer, ordinal));
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!);
    remembered.set(ordinal, map);
    return map;
  };
}

function parentMap({ children, parents }: Parents): ParentMap {
  return new Map(Array.from(children, (child, i) => [child, parents[i]!]));
}

function counters(chunk: bigint, nodes: number): RowMutation[] {
  return nodes === 0 ? [] : [counterMutation(chunk, BigInt(nodes))];
}
