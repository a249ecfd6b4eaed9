import type { Graph, GraphView, Time } from "@pcg/chunkedgraph";
import type { KvStore } from "@pcg/kvstore";
import { HttpError } from "./http/errors.ts";
import { parseSeconds } from "./http/query.ts";

/** One proofreadable segmentation. */
export interface Table {
  /** What clients call it: letters, digits, `_`, `.` and `-`. */
  readonly name: string;
  readonly graph: Graph;
  /** The folder of the supervoxel volume (precomputed): `info` and chunks. */
  readonly supervoxels: KvStore;
  /** The folder of the image volume (precomputed), when there is one. */
  readonly image?: KvStore;
}

/** The tables a server offers, by name; the owner may add to it while the server runs. */
export type Tables = ReadonlyMap<string, Table>;

export const TABLE_NAME = /^[A-Za-z0-9_][\w.-]*$/;

/** A table as a request names it: the present one (`cortex`), or pinned to one instant and read-only (`cortex@1767225600.5`). */
export class TableAt {
  readonly table: Table;
  /** The instant of a pinned name. */
  readonly pin: Time | undefined;

  constructor(table: Table, pin?: Time) {
    this.table = table;
    this.pin = pin;
  }

  /** Name as in URLs. */
  get name(): string {
    return this.pin === undefined ? this.table.name : `${this.table.name}@${formatSeconds(this.pin)}`;
  }

  get graph(): Graph {
    return this.table.graph;
  }

  /** The earlier of a time asked for and the pin; `undefined` means now. */
  at(time: Time | undefined): Time | undefined {
    if (this.pin === undefined) return time;
    return time === undefined || time > this.pin ? this.pin : time;
  }

  view(time?: Time): Promise<GraphView> {
    return this.graph.view(this.at(time));
  }

  /** @throws HttpError 403 on a pinned table */
  requirePresent(): void {
    if (this.pin === undefined) return;
    throw new HttpError(403, `"${this.name}" shows the past and cannot be edited; edit "${this.table.name}" instead`, {
      reason: "read-only",
    });
  }
}

/** @throws HttpError 404 for a table that is not there, 400 for a pin that is no time */
export function findTable(tables: Tables, name: string): TableAt {
  const at = name.indexOf("@");
  const base = at < 0 ? name : name.slice(0, at);
  const table = tables.get(base);
  if (table === undefined) {
    const known = [...tables.keys()].join(", ") || "none";
    throw new HttpError(404, `there is no table ${JSON.stringify(base)}; tables here: ${known}`, {
      reason: "unknown-table",
    });
  }
  if (at < 0) return new TableAt(table);
  const pin = parseSeconds(name.slice(at + 1));
  if (pin === undefined) {
    throw new HttpError(
      400,
      `"${name.slice(at + 1)}" is no time; write ${base}@<seconds since 1970>, e.g. ${base}@1767225600.5`,
    );
  }
  return new TableAt(table, pin);
}

function formatSeconds(time: Time): string {
  const fraction = String(time % 1_000_000n)
    .padStart(6, "0")
    .replace(/0+$/, "");
  return fraction === "" ? String(time / 1_000_000n) : `${time / 1_000_000n}.${fraction}`;
}
