import {
  type EditResult,
  type Graph,
  GraphError,
  type GraphHistory,
  type GraphSettings,
  type GraphView,
  type Lineage,
  type MergeRequest,
  type Operation,
  type Pick,
  type Time,
} from "@pcg/chunkedgraph";
import { IdLayout, layerOf } from "@pcg/chunkedgraph/ids";
import type { Box, Xyz } from "@pcg/volume";

/** 2×1×1 chunks of 64³ at an offset; four slabs of 32 voxels along x are the supervoxels a, b | c, d. b and c are one object. */
export const SETTINGS: GraphSettings = {
  version: 1,
  name: "toy",
  chunkSize: [64, 64, 64],
  voxelOffset: [10, 20, 30],
  size: [128, 64, 64],
  resolution: [8, 8, 40],
  layers: 3,
  spatialBits: 10,
  connectivity: 26,
  splitDisconnected: false,
  source: "toy",
  ingestTime: 1_700_000_000_123_456n,
};

const layout = new IdLayout(SETTINGS.layers, SETTINGS.spatialBits);
const chunks = [0, 1].map((x) => layout.chunkId(1, [x, 0, 0]));
const sv = (chunk: number, segment: bigint): bigint => layout.nodeId(chunks[chunk]!, segment);

/** The four supervoxels from low to high x. */
export const [A, B, C, D] = [sv(0, 1n), sv(0, 2n), sv(1, 1n), sv(1, 2n)] as [bigint, bigint, bigint, bigint];
export const SUPERVOXELS: readonly bigint[] = [A, B, C, D];

interface State {
  readonly time: Time;
  readonly parents: ReadonlyMap<bigint, bigint>;
}

/** A graph small enough to see through: every state is kept whole. */
export class FakeGraph implements Graph {
  readonly settings: GraphSettings = SETTINGS;
  readonly history: GraphHistory;
  readonly log: Operation[] = [];
  private readonly states: State[] = [];
  private readonly born = new Map<bigint, Time>();
  private readonly kids = new Map<bigint, bigint[]>();
  private readonly listeners = new Set<(operation: Operation) => void>();
  private segment = 0n;
  private clock: Time = SETTINGS.ingestTime;

  constructor() {
    this.history = new FakeHistory(this, this.born);
    const parents = new Map<bigint, bigint>();
    for (const id of SUPERVOXELS) this.born.set(id, this.clock);
    this.build(parents, [A]);
    this.build(parents, [B, C]);
    this.build(parents, [D]);
    this.states.push({ time: this.clock, parents });
  }

  /** Makes level-2 nodes and a root over the supervoxels. */
  private build(parents: Map<bigint, bigint>, supervoxels: readonly bigint[]): bigint {
    const l2s = new Set<bigint>();
    for (const coordinate of [0, 1]) {
      const inside = supervoxels.filter((id) => layout.coordsOf(id)[0] === coordinate);
      if (inside.length > 0) l2s.add(this.mint(parents, layout.chunkId(2, [coordinate, 0, 0]), inside));
    }
    return this.mint(parents, layout.chunkId(3, [0, 0, 0]), [...l2s]);
  }

  private mint(parents: Map<bigint, bigint>, chunk: bigint, children: bigint[]): bigint {
    const id = layout.nodeId(chunk, ++this.segment);
    this.born.set(id, this.clock);
    this.kids.set(id, children);
    for (const child of children) parents.set(child, id);
    return id;
  }

  async settledTime(): Promise<Time> {
    return this.states.at(-1)!.time;
  }

  async view(time?: Time): Promise<GraphView> {
    const settled = await this.settledTime();
    const at = time === undefined || time > settled ? settled : time;
    const state = this.states.findLast((candidate) => candidate.time <= at) ?? { time: at, parents: new Map() };
    return new FakeView(at, state.parents, this.born, this.kids);
  }

  async resolve(picks: readonly Pick[]): Promise<BigUint64Array> {
    const view = await this.view();
    const found = await this.supervoxelsAt(picks.map(({ position }) => position.map(Math.floor) as unknown as Xyz));
    const roots = await view.roots(found);
    for (const [i, { id }] of picks.entries()) {
      const [root] = await view.roots(BigUint64Array.of(id));
      if (root === 0n) throw new GraphError("unknown-id", `id ${id} is unknown`);
      if (root !== roots[i]) throw new GraphError("no-supervoxel", `no voxel of ${id} near the point`);
    }
    return found;
  }

  async supervoxelsAt(voxels: readonly Xyz[]): Promise<BigUint64Array> {
    return BigUint64Array.from(voxels, ([x, y, z]) => {
      const inside = x >= 10 && x < 138 && y >= 20 && y < 84 && z >= 30 && z < 94;
      if (!inside) throw new GraphError("outside-volume", `voxel ${x}, ${y}, ${z} is outside the volume`);
      return SUPERVOXELS[(x - 10) >> 5]!;
    });
  }

  async merge({ user, picks }: MergeRequest): Promise<EditResult> {
    const supervoxels = await this.resolve(picks);
    const view = await this.view();
    const old = new Set(await view.roots(supervoxels));
    if (old.size === 1) throw new GraphError("same-object", "both points lie in one object");
    const time = this.clock + 1_000_003n;
    this.clock = time;
    const parents = new Map(this.states.at(-1)!.parents);
    const members = SUPERVOXELS.filter((id) => old.has(parents.get(parents.get(id)!)!));
    const newRoot = this.build(parents, members);
    this.states.push({ time, parents });
    const operation: Operation = {
      id: BigInt(this.log.length + 1),
      kind: "merge",
      status: "done",
      user,
      time,
      picks,
      supervoxels,
      addedEdges: supervoxels,
      oldRoots: BigUint64Array.from(old),
      newRoots: BigUint64Array.of(newRoot),
      oldL2: new BigUint64Array(),
      newL2: BigUint64Array.from(this.kids.get(newRoot)!),
    };
    this.log.push(operation);
    for (const listener of this.listeners) listener(operation);
    return {
      operationId: operation.id,
      time,
      oldRoots: operation.oldRoots,
      newRoots: operation.newRoots,
      newL2: operation.newL2,
    };
  }

  subscribe(listener: (operation: Operation) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  async close(): Promise<void> {}
}

class FakeView implements GraphView {
  readonly time: Time;
  private readonly parentOf: ReadonlyMap<bigint, bigint>;
  private readonly born: ReadonlyMap<bigint, Time>;
  private readonly kids: ReadonlyMap<bigint, bigint[]>;

  constructor(
    time: Time,
    parentOf: ReadonlyMap<bigint, bigint>,
    born: ReadonlyMap<bigint, Time>,
    kids: ReadonlyMap<bigint, bigint[]>,
  ) {
    this.time = time;
    this.parentOf = parentOf;
    this.born = born;
    this.kids = kids;
  }

  private knows(id: bigint): boolean {
    return (this.born.get(id) ?? this.time + 1n) <= this.time;
  }

  async roots(
    ids: BigUint64Array,
    { stopLayer = SETTINGS.layers }: { stopLayer?: number } = {},
  ): Promise<BigUint64Array> {
    return ids.map((id) => {
      let node = this.knows(id) ? id : 0n;
      while (node !== 0n && layerOf(node) < stopLayer) node = this.parentOf.get(node) ?? 0n;
      return node;
    });
  }

  async parents(ids: BigUint64Array): Promise<BigUint64Array> {
    return ids.map((id) => (this.knows(id) ? (this.parentOf.get(id) ?? 0n) : 0n));
  }

  async children(ids: BigUint64Array): Promise<(BigUint64Array | undefined)[]> {
    return Array.from(ids, (id) => (this.knows(id) ? BigUint64Array.from(this.kids.get(id) ?? []).sort() : undefined));
  }

  async leaves(id: bigint, { box, stopLayer = 1 }: { box?: Box; stopLayer?: number } = {}): Promise<BigUint64Array> {
    if (!this.knows(id)) throw new GraphError("unknown-id", `id ${id} is unknown`);
    const below = (node: bigint): bigint[] =>
      layerOf(node) <= stopLayer ? [node] : (this.kids.get(node) ?? []).flatMap(below);
    const overlaps = (node: bigint): boolean => {
      if (box === undefined) return true;
      const begin = 10 + 64 * layout.coordsOf(node)[0];
      return box.begin[0] < box.end[0] && box.begin[0] < begin + 64 && box.end[0] > begin;
    };
    return BigUint64Array.from(below(id).filter(overlaps)).sort();
  }

  async exist(ids: BigUint64Array): Promise<Uint8Array> {
    return Uint8Array.from(ids, (id) => (this.knows(id) ? 1 : 0));
  }

  async isLatest(ids: BigUint64Array): Promise<Uint8Array> {
    const present = new Set(await this.roots(BigUint64Array.from(SUPERVOXELS)));
    return Uint8Array.from(ids, (id) => (id !== 0n && present.has(id) ? 1 : 0));
  }

  async chunkMapping(l2Chunk: bigint): Promise<BigUint64Array> {
    const [x] = layout.coordsOf(l2Chunk);
    const inside = SUPERVOXELS.filter((id) => layout.coordsOf(id)[0] === x);
    return BigUint64Array.from(inside.flatMap((id) => [this.parentOf.get(id)!, id]));
  }

  async level2Graph(id: bigint): Promise<BigUint64Array> {
    const l2s = await this.leaves(id, { stopLayer: 2 });
    return l2s.length === 2 ? l2s : new BigUint64Array();
  }

  async subgraph(id: bigint): ReturnType<GraphView["subgraph"]> {
    const leaves = await this.leaves(id);
    const joined = leaves.includes(B) && leaves.includes(C);
    return {
      pairs: joined ? BigUint64Array.of(B, C) : new BigUint64Array(),
      affinities: Float32Array.from(joined ? [Number.POSITIVE_INFINITY] : []),
      areas: BigUint64Array.from(joined ? [2n ** 40n] : []),
      active: Uint8Array.from(joined ? [1] : []),
    };
  }
}

class FakeHistory implements GraphHistory {
  private readonly graph: FakeGraph;
  private readonly born: ReadonlyMap<bigint, Time>;

  constructor(graph: FakeGraph, born: ReadonlyMap<bigint, Time>) {
    this.graph = graph;
    this.born = born;
  }

  private bornAt(root: bigint): Time {
    const time = this.born.get(root);
    if (time === undefined) throw new GraphError("unknown-id", `root ${root} is unknown`);
    return time;
  }

  async lineage(
    roots: BigUint64Array,
    { from = 0n, to = 2n ** 62n }: { from?: Time; to?: Time } = {},
  ): Promise<Lineage> {
    const links = new Map<string, { source: bigint; target: bigint }>();
    const nodes = new Set<bigint>(roots);
    for (const root of roots) this.bornAt(root);
    const walk = (node: bigint, back: boolean): void => {
      for (const { oldRoots, newRoots } of this.graph.log) {
        const [here, there] = back ? [newRoots, oldRoots] : [oldRoots, newRoots];
        if (!here.includes(node) || (back ? this.bornAt(node) <= from : this.bornAt(node) > to)) continue;
        for (const other of there) {
          nodes.add(other);
          links.set(
            `${node} ${other} ${back}`,
            back ? { source: other, target: node } : { source: node, target: other },
          );
          walk(other, back);
        }
      }
    };
    for (const root of roots) {
      walk(root, true);
      walk(root, false);
    }
    const makers = new Map(
      this.graph.log.flatMap(({ id, newRoots }) => Array.from(newRoots, (root) => [root, id] as const)),
    );
    return {
      nodes: [...nodes].map((id) => {
        const operationId = makers.get(id);
        return { id, time: this.bornAt(id), ...(operationId !== undefined && { operationId }) };
      }),
      links: [...links.values()],
    };
  }

  async rootTimes(
    roots: BigUint64Array,
    { latest = false, at = 0n }: { latest?: boolean; at?: Time } = {},
  ): Promise<Time[]> {
    return Array.from(roots, (root) => {
      const begin = this.bornAt(root);
      if (!latest) return begin;
      return this.graph.log.find(({ oldRoots }) => oldRoots.includes(root))?.time ?? at;
    });
  }

  async changeLog(root: bigint): Promise<Operation[]> {
    const maker = this.graph.log.find(({ newRoots }) => newRoots.includes(root));
    this.bornAt(root);
    if (maker === undefined) return [];
    const before = await Promise.all(Array.from(maker.oldRoots, (old) => this.changeLog(old)));
    return [...before.flat(), maker].sort((a, b) => Number(a.time - b.time));
  }

  async operations(ids: readonly bigint[]): Promise<(Operation | undefined)[]> {
    return ids.map((id) => this.graph.log.find((operation) => operation.id === id));
  }

  async *operationsBetween(from: Time, to: Time, { user }: { user?: string } = {}): AsyncGenerator<Operation> {
    for (const operation of this.graph.log) {
      if (operation.time >= from && operation.time <= to && (user === undefined || operation.user === user))
        yield operation;
    }
  }

  async delta(from: Time, to: Time): ReturnType<GraphHistory["delta"]> {
    const [before, after] = await Promise.all([this.graph.view(from), this.graph.view(to)]);
    const ids = BigUint64Array.from(SUPERVOXELS);
    const [old, now] = [new Set(await before.roots(ids)), new Set(await after.roots(ids))];
    return {
      oldRoots: BigUint64Array.from([...old].filter((id) => !now.has(id))),
      newRoots: BigUint64Array.from([...now].filter((id) => !old.has(id))),
    };
  }
}
