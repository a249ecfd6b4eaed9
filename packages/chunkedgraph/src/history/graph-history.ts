import type { RowStore } from "@pcg/rowstore";
import type { GraphHistory, GraphView, Lineage, Operation, ReadOptions, Time } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { layerOf } from "../ids.ts";
import { earlier } from "../time.ts";
import { LineageReader, lineageOf } from "./lineage.ts";
import { operationsBetween, readOperations } from "./operations.ts";

/** What a history reads: rows, and views of the graph as it is now. */
export interface HistoryContext {
  readonly rows: RowStore;
  readonly layers: number;
  readonly ingestTime: Time;
  view(): Promise<GraphView>;
}

const END_OF_TIME = (1n << 63n) - 2n;

export function createHistory(context: HistoryContext): GraphHistory {
  return new History(context);
}

class History implements GraphHistory {
  private readonly context: HistoryContext;

  constructor(context: HistoryContext) {
    this.context = context;
  }

  async lineage(
    roots: BigUint64Array,
    window: { readonly from?: Time; readonly to?: Time } = {},
    options: ReadOptions = {},
  ): Promise<Lineage> {
    const reader = await this.reader(roots, options);
    return await lineageOf(reader, roots, { from: window.from ?? 0n, to: window.to ?? END_OF_TIME });
  }

  async rootTimes(
    roots: BigUint64Array,
    options: ReadOptions & { readonly latest?: boolean; readonly at?: Time } = {},
  ): Promise<readonly Time[]> {
    const reader = await this.reader(roots, options);
    const records = await reader.read(roots);
    if (options.latest !== true) return records.map(({ created }) => created);
    const at = options.at ?? (await this.context.view()).time;
    return records.map(({ ended }) => (ended === undefined ? at : earlier(ended, at)));
  }

  async changeLog(root: bigint, options: ReadOptions = {}): Promise<readonly Operation[]> {
    const reader = await this.reader(BigUint64Array.of(root), options);
    const past = await reader.walk([root], ({ former }) => former);
    const ids = new Set<bigint>();
    for (const { operationId } of past.values()) if (operationId !== undefined) ids.add(operationId);
    const ordered = [...BigUint64Array.from(ids).sort()];
    const operations = await readOperations(this.context.rows, ordered, options);
    return operations.map((operation, i) => {
      if (operation === undefined)
        throw new GraphError("corrupt-row", `operation ${ordered[i]} made a root but is not in the log`);
      return operation;
    });
  }

  async operations(ids: readonly bigint[], options: ReadOptions = {}): Promise<readonly (Operation | undefined)[]> {
    for (const id of ids)
      if (id < 0n || id >= 1n << 64n)
        throw new GraphError("invalid-argument", `operation number ${id} is outside 0..2^64 − 1`, {
          id: id.toString(),
        });
    return await readOperations(this.context.rows, ids, options);
  }

  async *operationsBetween(
    from: Time,
    to: Time,
    options: ReadOptions & { readonly user?: string } = {},
  ): AsyncGenerator<Operation> {
    const window = [from < 0n ? 0n : from, earlier(to, END_OF_TIME)] as const;
    if (window[0] > window[1]) return;
    for await (const operation of operationsBetween(this.context.rows, ...window, options))
      if (options.user === undefined || operation.user === options.user) yield operation;
  }

  async delta(
    from: Time,
    to: Time,
    options: ReadOptions = {},
  ): Promise<{ readonly oldRoots: BigUint64Array; readonly newRoots: BigUint64Array }> {
    const ended = new Set<bigint>();
    const began = new Set<bigint>();
    for await (const operation of this.operationsBetween(from + 1n, to, options)) {
      for (const root of operation.oldRoots) if (!began.delete(root)) ended.add(root);
      for (const root of operation.newRoots) began.add(root);
    }
    const sorted = (roots: Set<bigint>): BigUint64Array => BigUint64Array.from(roots).sort();
    return { oldRoots: sorted(ended), newRoots: sorted(began) };
  }

  /** A reader of the lineage as it is now; every id must be a root, present or past. */
  private async reader(roots: BigUint64Array, options: ReadOptions): Promise<LineageReader> {
    const { rows, layers, ingestTime } = this.context;
    const view = await this.context.view();
    const exists = await view.exist(roots, options);
    for (const [i, root] of roots.entries()) {
      if (exists[i] === 0) throw new GraphError("unknown-id", `no root ${root} in this graph`, { id: root.toString() });
      if (layerOf(root) !== layers)
        throw new GraphError("wrong-layer", `${root} is on layer ${layerOf(root)}; roots are on layer ${layers}`, {
          id: root.toString(),
          layer: layerOf(root),
          layers,
        });
    }
    return new LineageReader(rows, ingestTime, view.time, options.signal);
  }
}
