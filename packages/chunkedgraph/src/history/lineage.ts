/**
 * How roots came to be and what became of them.
 * @module
 */
import type { RowStore } from "@pcg/rowstore";
import type { Lineage, Time } from "../contract.ts";
import { FORMER, idOfKey, lineageKeys, OPERATION, SUCCESSOR, unpackId, unpackIds } from "../rows/index.ts";

/** What is known of one root. */
export interface RootRecord {
  readonly id: bigint;
  readonly created: Time;
  /** The operation that made it; absent for roots of the ingest. */
  readonly operationId?: bigint;
  readonly former: BigUint64Array;
  /** Empty while the root is latest. */
  readonly successors: BigUint64Array;
  /** When its successors began. */
  readonly ended?: Time;
}

/** Lineage rows, each read once. Roots that no edit touched have none: they began with the ingest. */
export class LineageReader {
  private readonly rows: RowStore;
  private readonly ingestTime: Time;
  private readonly settled: Time;
  private readonly known = new Map<bigint, RootRecord>();
  private readonly signal: AbortSignal | undefined;

  constructor(rows: RowStore, ingestTime: Time, settled: Time, signal?: AbortSignal) {
    this.rows = rows;
    this.ingestTime = ingestTime;
    this.settled = settled;
    this.signal = signal;
  }

  /** The roots must exist. */
  async read(roots: Iterable<bigint>): Promise<RootRecord[]> {
    const asked = [...roots];
    const missing = [...new Set(asked)].filter((root) => !this.known.has(root));
    const none = new BigUint64Array();
    for (const id of missing) this.known.set(id, { id, created: this.ingestTime, former: none, successors: none });
    const keys = lineageKeys(BigUint64Array.from(missing).sort());
    const reading = { to: this.settled + 1n, ...(this.signal === undefined ? {} : { signal: this.signal }) };
    if (missing.length > 0)
      for await (const row of this.rows.read({ keys }, reading)) {
        let record = this.known.get(idOfKey(row.key))!;
        for (const { qualifier, value, timestamp } of row.cells) {
          if (qualifier[0] === FORMER.qualifier[0])
            record = { ...record, former: unpackIds(value), created: timestamp };
          else if (qualifier[0] === SUCCESSOR.qualifier[0])
            record = { ...record, successors: unpackIds(value), ended: timestamp };
          else if (qualifier[0] === OPERATION.qualifier[0]) record = { ...record, operationId: unpackId(value) };
        }
        this.known.set(record.id, record);
      }
    return asked.map((root) => this.known.get(root)!);
  }

  /** Everything `step` leads to from the roots, themselves included, nearest first. */
  async walk(roots: Iterable<bigint>, step: (root: RootRecord) => Iterable<bigint>): Promise<Map<bigint, RootRecord>> {
    const reached = new Map<bigint, RootRecord>();
    let frontier = new Set(roots);
    while (frontier.size > 0) {
      const next = new Set<bigint>();
      for (const record of await this.read(frontier)) reached.set(record.id, record);
      for (const id of frontier) for (const other of step(reached.get(id)!)) if (!reached.has(other)) next.add(other);
      frontier = next;
    }
    return reached;
  }
}

/**
 * The window rule of graphene clients: back from every node created after `from`, forward from every node created at or
 * before `to`; a link that crosses the window's edge is kept with the node on its other side. The future of past nodes
 * does not belong to it.
 *
 * As everywhere, the state at a time has the edits of exactly that time in it: a walk back ends with the roots that were
 * valid at `from`, so a root asked for at its own time is its own past, and the links are those of the edits that
 * {@link GraphHistory.delta} counts.
 */
export async function lineageOf(
  reader: LineageReader,
  roots: Iterable<bigint>,
  window: { readonly from: Time; readonly to: Time },
): Promise<Lineage> {
  const given = [...roots];
  const before = (root: RootRecord): BigUint64Array => (root.created > window.from ? root.former : EMPTY);
  const after = (root: RootRecord): BigUint64Array => (root.created <= window.to ? root.successors : EMPTY);
  const past = await reader.walk(given, before);
  const future = await reader.walk(given, after);
  const links = new Map<string, { readonly source: bigint; readonly target: bigint }>();
  const link = (source: bigint, target: bigint): void => {
    links.set(`${source} ${target}`, { source, target });
  };
  for (const root of past.values()) for (const former of before(root)) link(former, root.id);
  for (const root of future.values()) for (const successor of after(root)) link(root.id, successor);
  const nodes = [...new Map([...past, ...future]).values()].sort(byAge);
  return {
    nodes: nodes.map(({ id, created, operationId }) => ({
      id,
      time: created,
      ...(operationId === undefined ? {} : { operationId }),
    })),
    links: [...links.values()],
  };
}

/** A lineage as it was known at `time`: without the roots that began later. */
export function lineageUntil({ nodes, links }: Lineage, time: Time): Lineage {
  const known = nodes.filter((node) => node.time <= time);
  const ids = new Set(known.map(({ id }) => id));
  return { nodes: known, links: links.filter(({ source, target }) => ids.has(source) && ids.has(target)) };
}

const EMPTY = new BigUint64Array();

function byAge(a: RootRecord, b: RootRecord): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
