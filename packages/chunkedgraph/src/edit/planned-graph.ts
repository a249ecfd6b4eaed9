/**
 * The graph as an edit would leave it: what the rows say at one time, with the edit's changes laid over in memory. New
 * nodes have provisional ids until the commit numbers them, so planning takes no ids and writes nothing.
 * @module
 */
import type { Time } from "../contract.ts";
import { layerOf as realLayerOf } from "../ids.ts";
import type { ViewContext } from "../view/context.ts";
import { type NodeRecord, readNodes } from "../view/node-reader.ts";
import { parentsOf } from "../view/roots.ts";

/** Set on provisional ids; layers stay below 128, so no node has it. */
const PROVISIONAL = 1n << 63n;

export function isProvisional(id: bigint): boolean {
  return (id & PROVISIONAL) !== 0n;
}

/** The layer of a node, provisional or not. */
export function layerOf(id: bigint): number {
  return realLayerOf(id) & 0x7f;
}

/** A node of the planned graph. */
export class PlannedNode {
  readonly id: bigint;
  readonly layer: number;
  /** What the rows say; absent for a new node. */
  readonly record: NodeRecord | undefined;
  /** Chunk and children of a new node. */
  readonly made: { readonly chunk: bigint; readonly children: readonly bigint[] } | undefined;
  /** Old nodes whose place a new node takes: those of its layer above (on level 2: with) what is below it now. */
  readonly formers: readonly NodeRecord[];
  /** The lowest old nodes above it, before the edit: of a kept node its parent. */
  readonly oldParents: ReadonlySet<bigint>;
  parent: bigint;
  /** Edge layers whose partners are not those of the record. */
  readonly changedLayers: Set<number> = new Set();
  private readonly cross: Map<number, Iterable<bigint>>;

  constructor(
    id: bigint,
    record: NodeRecord | undefined,
    made?: { readonly chunk: bigint; readonly children: readonly bigint[] },
    formers: readonly NodeRecord[] = [],
    oldParents: Iterable<bigint> = record === undefined || record.parent === 0n ? [] : [record.parent],
  ) {
    this.id = id;
    this.layer = layerOf(id);
    this.record = record;
    this.made = made;
    this.formers = formers;
    this.oldParents = new Set(oldParents);
    this.parent = record?.parent ?? 0n;
    this.cross = new Map(record?.cross);
  }

  get isNew(): boolean {
    return this.record === undefined;
  }

  get parentChanged(): boolean {
    return this.record !== undefined && this.parent !== this.record.parent;
  }

  /** Edge layers on which the node has partners, in no order. */
  get crossLayers(): Iterable<number> {
    return this.cross.keys();
  }

  partners(layer: number): Iterable<bigint> {
    return this.cross.get(layer) ?? [];
  }

  addPartner(layer: number, partner: bigint): void {
    this.changeable(layer).add(partner);
  }

  replacePartner(layer: number, from: bigint, to: bigint): void {
    const partners = this.changeable(layer);
    if (!partners.delete(from)) throw new Error(`node ${this.id} does not name its partner ${from} of layer ${layer}`);
    partners.add(to);
  }

  private changeable(layer: number): Set<bigint> {
    const present = this.cross.get(layer);
    if (this.changedLayers.has(layer)) return present as Set<bigint>;
    const copy = new Set(present);
    this.cross.set(layer, copy);
    this.changedLayers.add(layer);
    return copy;
  }
}

export class PlannedGraph {
  readonly context: ViewContext;
  readonly time: Time;
  /** New nodes in the order they were made. */
  readonly made: PlannedNode[] = [];
  private readonly nodes = new Map<bigint, PlannedNode>();
  private readonly successors = new Map<bigint, PlannedNode>();
  private readonly signal: AbortSignal | undefined;

  constructor(context: ViewContext, time: Time, signal?: AbortSignal) {
    this.context = context;
    this.time = time;
    this.signal = signal;
  }

  /** Makes `get` work for the ids; they must exist. */
  async load(ids: Iterable<bigint>): Promise<void> {
    const missing = new Set<bigint>();
    for (const id of ids) if (!this.nodes.has(id)) missing.add(id);
    if (missing.size === 0) return;
    const wanted = BigUint64Array.from(missing).sort();
    const records = await readNodes(this.context.rows, wanted, this.time, { signal: this.signal });
    for (const id of missing) {
      const record = records.get(id);
      if (record === undefined) throw new Error(`node ${id} is named by another row but has none at time ${this.time}`);
      this.nodes.set(id, new PlannedNode(id, record));
    }
  }

  get(id: bigint): PlannedNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`node ${id} has not been loaded`);
    return node;
  }

  /** Whether the edit gave an old node another parent, or replaced it. */
  isMoved(id: bigint): boolean {
    return this.successors.has(id) || (this.nodes.get(id)?.parentChanged ?? false);
  }

  /** Nodes that the edit keeps, as far as they have been looked at. */
  *kept(): Iterable<PlannedNode> {
    for (const node of this.nodes.values()) if (!node.isNew && !this.successors.has(node.id)) yield node;
  }

  /** Old nodes that the edit replaces. */
  *replaced(): Iterable<{ readonly former: NodeRecord; readonly successor: PlannedNode }> {
    for (const successor of this.made) for (const former of successor.formers) yield { former, successor };
  }

  isReplaced(id: bigint): boolean {
    return this.successors.has(id);
  }

  /**
   * Makes a node. Of the old nodes in its place and above, given by record, it replaces those on its layer; a former's
   * parent is then above it.
   */
  create(layer: number, chunk: bigint, children: readonly bigint[], old: readonly NodeRecord[]): PlannedNode {
    const id = PROVISIONAL | (BigInt(layer) << 56n) | BigInt(this.made.length);
    const formers = old.filter((record) => layerOf(record.id) === layer);
    const oldParents = old.map((record) => (layerOf(record.id) === layer ? record.parent : record.id));
    const above = oldParents.filter((parent) => parent !== 0n);
    const node = new PlannedNode(id, undefined, { chunk, children }, formers, above);
    this.made.push(node);
    this.nodes.set(id, node);
    for (const former of formers) {
      if (this.successors.has(former.id)) throw new Error(`node ${former.id} is replaced twice by one edit`);
      this.successors.set(former.id, node);
    }
    return node;
  }

  /**
   * For each id the node that stands for it on `layer` once the edit is done: its highest ancestor there or below. Old
   * nodes that the edit replaces stand for themselves no more.
   */
  async standing(ids: Iterable<bigint>, layer: number): Promise<Map<bigint, bigint>> {
    return await this.ascend(ids, layer, (id) => {
      const successor = this.successors.get(id);
      return successor === undefined ? this.nodes.get(id)?.parent : successor.id;
    });
  }

  /** {@link standing} before the edit. */
  async stood(ids: Iterable<bigint>, layer: number): Promise<Map<bigint, bigint>> {
    return await this.ascend(ids, layer, (id) => this.nodes.get(id)?.record?.parent);
  }

  private async ascend(
    ids: Iterable<bigint>,
    layer: number,
    above: (id: bigint) => bigint | undefined,
  ): Promise<Map<bigint, bigint>> {
    const found = new Map<bigint, bigint>();
    for (const id of ids) found.set(id, id);
    let open = [...found.keys()];
    while (open.length > 0) {
      const unknown = new Map<bigint, bigint>();
      for (const start of open) {
        const id = found.get(start)!;
        if (above(id) === undefined) unknown.set(id, 0n);
      }
      if (unknown.size > 0) {
        const asked = BigUint64Array.from(unknown.keys());
        const { parents } = await parentsOf(this.context, asked, this.time, this.signal);
        asked.forEach((id, i) => {
          unknown.set(id, parents[i]!);
        });
      }
      open = open.filter((start) => {
        const id = found.get(start)!;
        const parent = above(id) ?? unknown.get(id)!;
        if (parent === 0n || layerOf(parent) > layer) return false;
        found.set(start, parent);
        return true;
      });
    }
    return found;
  }
}
