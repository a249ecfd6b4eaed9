/**
 * All node rows in typed arrays, checked one by one on the way in. Nodes are numbered in the order of their ids, so
 * children have lower numbers than their parents.
 * @module
 */
import type { Row, RowStore } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { type ChunkGrid, halves, layerOf } from "../ids.ts";
import { allNodes, crossLayerOf, idOfKey, isChildrenCell, isParentCell, unpackId, unpackIds } from "../rows/index.ts";
import { IdIndex } from "../view/id-table.ts";
import { GrowingF64, GrowingU32, GrowingU64 } from "./growing.ts";
import type { Findings } from "./report.ts";

/** No such node. */
export const NONE = 0xffff_ffff;

export interface NodeTable {
  readonly ids: BigUint64Array;
  /** When each node began. */
  readonly created: Float64Array;
  /** Children of node i as numbers: `children[childOffsets[i]]` … */
  readonly childOffsets: Uint32Array;
  readonly children: Uint32Array;
  /** Parent cells of all times: child, parent, time. */
  readonly cellChild: Uint32Array;
  readonly cellParent: Uint32Array;
  readonly cellTime: Float64Array;
  /** Parent of each node at the checked time. */
  readonly parent: Uint32Array;
  /** Cross edges at the checked time: node, edge layer, partner. */
  readonly crossNode: Uint32Array;
  readonly crossLayer: Uint32Array;
  readonly crossPartner: Uint32Array;
  /** Times of all cells of node rows. */
  readonly times: ReadonlySet<number>;
  numberOf(id: bigint): number;
}

/** Reads all nodes. Takes about 120 bytes per node and 12 per cross edge. */
export async function readNodeTable(
  rows: RowStore,
  grid: ChunkGrid,
  time: Time,
  findings: Findings,
  signal?: AbortSignal,
): Promise<NodeTable> {
  const reading = new Reading(grid, time, findings);
  for await (const row of rows.read({ ranges: [allNodes()] }, signal === undefined ? {} : { signal })) reading.add(row);
  return reading.finish();
}

class Reading {
  private readonly grid: ChunkGrid;
  private readonly time: Time;
  private readonly findings: Findings;
  private readonly ids = new GrowingU64();
  private readonly created = new GrowingF64();
  private readonly childOffsets = new GrowingU32();
  private readonly children = new GrowingU64();
  private readonly cellChild = new GrowingU32();
  private readonly cellParent = new GrowingU64();
  private readonly cellTime = new GrowingF64();
  private readonly crossNode = new GrowingU32();
  private readonly crossLayer = new GrowingU32();
  private readonly crossPartner = new GrowingU64();
  private readonly times = new Set<number>();

  constructor(grid: ChunkGrid, time: Time, findings: Findings) {
    this.grid = grid;
    this.time = time;
    this.findings = findings;
  }

  add(row: Row): void {
    const id = idOfKey(row.key);
    const { layout } = this.grid;
    if (row.key.length !== 9 || !layout.isNode(id) || !this.grid.holds(id)) {
      this.findings.add("id", id, "no node of this graph can have this id");
      return;
    }
    const number = this.ids.length;
    const layer = layerOf(id);
    let children: BigUint64Array | undefined;
    let created = Number.POSITIVE_INFINITY;
    let firstParent = Number.POSITIVE_INFINITY;
    const seen = new Set<number>();
    for (const cell of row.cells) {
      const at = Number(cell.timestamp);
      this.times.add(at);
      const edgeLayer = crossLayerOf(cell);
      if (isParentCell(cell)) {
        this.cellChild.push(number);
        this.cellParent.push(unpackId(cell.value));
        this.cellTime.push(at);
        firstParent = at;
      } else if (isChildrenCell(cell)) {
        if (children !== undefined) this.findings.add("children", id, "children were written more than once");
        children = unpackIds(cell.value);
        created = at;
      } else if (edgeLayer !== undefined) {
        this.checkPartners(id, edgeLayer, unpackIds(cell.value));
        if (cell.timestamp > this.time || seen.has(edgeLayer)) continue;
        seen.add(edgeLayer);
        for (const partner of unpackIds(cell.value)) {
          this.crossNode.push(number);
          this.crossLayer.push(edgeLayer);
          this.crossPartner.push(partner);
        }
      } else this.findings.add("id", id, `unknown column ${cell.family} in a node row`);
    }
    if (layer === 1) created = firstParent;
    this.checkNode(id, layer, children, created, firstParent);
    this.ids.push(id);
    this.created.push(created);
    this.childOffsets.push(this.children.length);
    if (children !== undefined) this.children.append(children);
  }

  finish(): NodeTable {
    const ids = this.ids.array;
    const index = new IdIndex(ids);
    const number = (id: bigint): number => {
      const half = halves(BigUint64Array.of(id));
      const at = index.of(half[0]!, half[1]!);
      return at < 0 ? NONE : at;
    };
    const numbers = (all: BigUint64Array): Uint32Array => {
      const half = halves(all);
      return Uint32Array.from({ length: all.length }, (_, i) => {
        const at = index.of(half[2 * i]!, half[2 * i + 1]!);
        return at < 0 ? NONE : at;
      });
    };
    this.childOffsets.push(this.children.length);
    const cellChild = this.cellChild.array;
    const cellTime = this.cellTime.array;
    const cellParent = numbers(this.cellParent.array);
    const parent = new Uint32Array(ids.length).fill(NONE);
    // Cells of a column come newest first; going backwards, the newest one that is not too new is assigned last.
    for (let i = cellChild.length - 1; i >= 0; i--)
      if (cellTime[i]! <= Number(this.time)) parent[cellChild[i]!] = cellParent[i]!;
    return {
      ids,
      created: this.created.array,
      childOffsets: this.childOffsets.array,
      children: numbers(this.children.array),
      cellChild,
      cellParent,
      cellTime,
      parent,
      crossNode: this.crossNode.array,
      crossLayer: this.crossLayer.array,
      crossPartner: numbers(this.crossPartner.array),
      times: this.times,
      numberOf: number,
    };
  }

  private checkNode(
    id: bigint,
    layer: number,
    children: BigUint64Array | undefined,
    created: number,
    firstParent: number,
  ): void {
    const { layers } = this.grid.layout;
    const wrong = (message: string): void => this.findings.add("children", id, message);
    if (layer === layers && firstParent !== Number.POSITIVE_INFINITY) wrong("a root has a parent");
    if (layer < layers && firstParent === Number.POSITIVE_INFINITY) wrong("the node has no parent");
    if (layer === 1) {
      if (children !== undefined) wrong("a supervoxel has children");
      return;
    }
    if (children === undefined || children.length === 0) {
      wrong("the node has no children");
      return;
    }
    if (layer < layers && firstParent !== created) wrong("the node and its first parent began at different times");
    this.checkChildren(id, layer, children);
  }

  private checkChildren(id: bigint, layer: number, children: BigUint64Array): void {
    const { layout } = this.grid;
    const chunk = layout.chunkOf(id);
    const below = layerOf(children[0]!);
    const wrong = (message: string): void => this.findings.add("children", id, message);
    for (let i = 0; i < children.length; i++) {
      const child = children[i]!;
      if (i > 0 && child <= children[i - 1]!) wrong(`children are not ascending at ${child}`);
      if (!layout.isNode(child) || layerOf(child) >= layer) wrong(`child ${child} is not on a lower layer`);
      else if (layerOf(child) !== below) wrong(`children are on layers ${below} and ${layerOf(child)}`);
      else if (layout.ancestorChunk(child, layer) !== chunk) wrong(`child ${child} is in another chunk`);
    }
    if (children.length > 1 && below !== layer - 1)
      wrong(`${children.length} children are on layer ${below}, not ${layer - 1}`);
    if (layer === 2 && below !== 1) wrong(`child ${children[0]} of a level-2 node is not a supervoxel`);
  }

  private checkPartners(id: bigint, edgeLayer: number, partners: BigUint64Array): void {
    const own = layerOf(id);
    const wrong = (message: string): void => this.findings.add("cross-edges", id, `layer ${edgeLayer}: ${message}`);
    if (own < 2 || edgeLayer < own || edgeLayer >= this.grid.layout.layers)
      wrong(`a node of layer ${own} has no such edges`);
    for (let i = 0; i < partners.length; i++)
      if (i > 0 && partners[i]! <= partners[i - 1]!) wrong(`partners are not ascending at ${partners[i]}`);
  }
}
