/**
 * One graph at one instant. Cells at or before the view's time never change, so every answer of a view agrees with
 * every other, however long it lives and whatever is edited meanwhile.
 * @module
 */
import type { GraphView, PartOptions, ReadOptions, SupervoxelEdges, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { layerOf } from "../ids.ts";
import { idOfKey, lineageKeys, nodeRange, PARENT, SUCCESSOR, unpackId } from "../rows/index.ts";
import type { ViewContext } from "./context.ts";
import { descend } from "./leaves.ts";
import { level2Pairs } from "./level2-graph.ts";
import { readChildren } from "./node-reader.ts";
import { climb, parentsOf } from "./roots.ts";
import { edgesAmong } from "./subgraph.ts";

/** A view of what `context` gives, at a settled time. */
export function createView(context: ViewContext, time: Time): GraphView {
  return new View(context, time);
}

class View implements GraphView {
  readonly time: Time;
  private readonly context: ViewContext;

  constructor(context: ViewContext, time: Time) {
    this.context = context;
    this.time = time;
  }

  async roots(
    ids: BigUint64Array,
    options: ReadOptions & { readonly stopLayer?: number } = {},
  ): Promise<BigUint64Array> {
    const stopLayer = this.layer(options.stopLayer, this.context.settings.layers);
    return await climb(this.context, ids, stopLayer, this.time, options.signal);
  }

  async parents(ids: BigUint64Array, options: ReadOptions = {}): Promise<BigUint64Array> {
    return (await parentsOf(this.context, ids, this.time, options.signal)).parents;
  }

  async exist(ids: BigUint64Array, options: ReadOptions = {}): Promise<Uint8Array> {
    return (await parentsOf(this.context, ids, this.time, options.signal)).exists;
  }

  async children(ids: BigUint64Array, options: ReadOptions = {}): Promise<(BigUint64Array | undefined)[]> {
    const exists = await this.exist(ids, options);
    const nodes = ids.filter((id, i) => exists[i] === 1 && layerOf(id) > 1);
    const found = await readChildren(this.context.rows, nodes, this.time, options);
    return Array.from(ids, (id, i) =>
      exists[i] === 0 ? undefined : (found.get(id)?.children ?? new BigUint64Array()),
    );
  }

  async leaves(id: bigint, options: PartOptions & { readonly stopLayer?: number } = {}): Promise<BigUint64Array> {
    const stopLayer = this.layer(options.stopLayer, 1);
    await this.requireNode(id, options);
    const leaves = await descend(this.context, BigUint64Array.of(id), stopLayer, this.time, options);
    return leaves.slice().sort();
  }

  async isLatest(ids: BigUint64Array, options: ReadOptions = {}): Promise<Uint8Array> {
    const latest = await this.exist(ids, options);
    for (let i = 0; i < ids.length; i++) if (layerOf(ids[i]!) !== this.context.settings.layers) latest[i] = 0;
    const roots = ids.filter((_, i) => latest[i] === 1);
    const wanted = { ...options, columns: [SUCCESSOR], to: this.time + 1n, versions: 1 };
    const ended = new Set<bigint>();
    for await (const row of this.context.rows.read({ keys: lineageKeys(roots) }, wanted)) ended.add(idOfKey(row.key));
    for (let i = 0; i < ids.length; i++) if (ended.has(ids[i]!)) latest[i] = 0;
    return latest;
  }

  async chunkMapping(l2Chunk: bigint, options: ReadOptions = {}): Promise<BigUint64Array> {
    const { layout, grid, rows } = this.context;
    if (l2Chunk < 0n || layerOf(l2Chunk) !== 2 || layout.segmentOf(l2Chunk) !== 0n)
      throw new GraphError("wrong-layer", `${l2Chunk} is not the id of a layer-2 chunk`, { id: l2Chunk.toString() });
    if (!grid.holds(l2Chunk))
      throw new GraphError(
        "outside-volume",
        `chunk ${layout.coordsOf(l2Chunk).join(", ")} is outside the volume of ${grid.counts(2).join("×")} chunks`,
        { id: l2Chunk.toString() },
      );
    const chunk = layout.chunkId(1, layout.coordsOf(l2Chunk));
    const range = nodeRange(chunk, layout.lastOf(chunk));
    const wanted = { ...options, columns: [PARENT], to: this.time + 1n, versions: 1 };
    const pairs: [bigint, bigint][] = [];
    for await (const row of rows.read({ ranges: [range] }, wanted))
      pairs.push([unpackId(row.cells[0]!.value), idOfKey(row.key)]);
    // Supervoxels come in order, and sorting is stable.
    pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return BigUint64Array.from(pairs.flat());
  }

  async level2Graph(id: bigint, options: PartOptions = {}): Promise<BigUint64Array> {
    return await level2Pairs(this.context, await this.level2(id, options), this.time, options);
  }

  async subgraph(id: bigint, options: PartOptions = {}): Promise<SupervoxelEdges> {
    return (await edgesAmong(this.context, await this.level2(id, options), this.time, options)).edges;
  }

  /** Level-2 ids of an object, ascending. */
  private async level2(id: bigint, options: PartOptions): Promise<BigUint64Array> {
    if (layerOf(id) === 1)
      throw new GraphError("wrong-layer", `${id} is a supervoxel; give a node of layer 2 or above`, {
        id: id.toString(),
      });
    return await this.leaves(id, { ...options, stopLayer: 2 });
  }

  private async requireNode(id: bigint, options: ReadOptions): Promise<void> {
    const fits = id > 0n && id < 1n << 64n;
    if (fits && (await this.exist(BigUint64Array.of(id), options))[0] === 1) return;
    throw new GraphError("unknown-id", `no node ${id} at time ${this.time}`, {
      id: id.toString(),
      time: this.time.toString(),
    });
  }

  private layer(value: number | undefined, otherwise: number): number {
    const { layers } = this.context.settings;
    if (value === undefined) return otherwise;
    if (Number.isInteger(value) && value >= 1 && value <= layers) return value;
    throw new GraphError("invalid-argument", `stopLayer ${value} is outside 1..${layers}`, {
      stopLayer: value,
      layers,
    });
  }
}
