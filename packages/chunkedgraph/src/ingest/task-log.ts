/**
 * Which tasks of an ingest are done. What a task writes becomes visible as done together with its task row, in one
 * transaction that only the first to finish it can commit; so a task may be run again, even by two processes at once, and
 * counters are set once.
 * @module
 */
import { type RowMutation, type RowStore, readRow } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { DONE, PRESENT, packIds, taskKey, taskRange, unpackIds } from "../rows/index.ts";

/** Rows written at a time. Rows before the last batch are no counters, so writing them again changes nothing. */
const BATCH = 4096;

export class TaskLog {
  private readonly rows: RowStore;

  constructor(rows: RowStore) {
    this.rows = rows;
  }

  /** The finished tasks of a stage: ordinal and result, in no particular order. */
  async *finished(stage: string, signal: AbortSignal): AsyncGenerator<readonly [number, readonly number[]]> {
    const prefix = `${stage}/`;
    const skip = taskKey(prefix).length;
    const options = { columns: [DONE], versions: 1, signal };
    for await (const { key, cells } of this.rows.read({ ranges: [taskRange(prefix)] }, options)) {
      const ordinal = Number(new TextDecoder().decode(key.subarray(skip)));
      yield [ordinal, Array.from(unpackIds(cells[0]!.value), Number)];
    }
  }

  /** The result of one task, when it is finished. */
  async result(stage: string, ordinal: number): Promise<readonly number[] | undefined> {
    const row = await readRow(this.rows, taskKey(`${stage}/${ordinal}`));
    return row === undefined ? undefined : Array.from(unpackIds(row.cells[0]!.value), Number);
  }

  /**
   * Writes a task's rows, then in one transaction its counters and that it is done, with its result (counts below 2^53).
   * @param rows cells that depend on nothing but the task, so that writing them twice is harmless.
   */
  async finish(
    stage: string,
    ordinal: number,
    result: readonly number[],
    rows: readonly RowMutation[],
    counters: readonly RowMutation[] = [],
  ): Promise<void> {
    let begin = 0;
    for (; rows.length - begin > BATCH; begin += BATCH) await this.rows.mutate(rows.slice(begin, begin + BATCH));
    const key = taskKey(`${stage}/${ordinal}`);
    const done: RowMutation = {
      key,
      ops: [{ op: "set", column: DONE, value: packIds(BigUint64Array.from(result, BigInt)), timestamp: PRESENT }],
    };
    await this.rows.transact(
      [{ key, when: { kind: "absent", column: DONE } }],
      [...rows.slice(begin), ...counters, done],
    );
  }
}

/** A row whose cells begin with the graph. */
export function ingestRow(
  key: Uint8Array,
  cells: readonly {
    readonly column: { readonly family: string; readonly qualifier: Uint8Array };
    readonly value: Uint8Array;
  }[],
  time: Time,
): RowMutation {
  return { key, ops: cells.map(({ column, value }) => ({ op: "set", column, value, timestamp: time })) };
}
