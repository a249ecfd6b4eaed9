import fc from "fast-check";
import type { Guard, RowStore } from "../contract.ts";
import { readRows } from "../read-rows.ts";
import type { OpenStore, TestApi } from "./api.ts";
import { bytes, column, row, set, text } from "./cells.ts";

/** A client's order: move one unit from a row to another, guarded by what it read of both. */
interface Transfer {
  readonly from: number;
  readonly to: number;
}

const ROWS = 3;
const START = 10;
const balance = column("f:balance");
const nameOf = (i: number) => `account ${i}`;

/** Reads, decides, and writes only if both rows are still what it read; else starts over. @returns the attempts. */
async function transfer(store: RowStore, { from, to }: Transfer, pause: () => Promise<unknown>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const read = await readRows(store, { keys: [bytes(nameOf(from)), bytes(nameOf(to))] }, { versions: 1 });
    const [a, b] = read.map(({ cells }) => cells[0]!);
    await pause();
    const guards: Guard[] = [a!, b!].map((cell, i) => ({
      key: read[i]!.key,
      // Exactly the cell read and none newer.
      when: {
        kind: "all",
        of: [
          { kind: "cell", column: balance, tsFrom: cell.timestamp, valueEq: cell.value },
          { kind: "absent", column: balance, tsFrom: cell.timestamp + 1n },
        ],
      },
    }));
    // Later than every cell there is: each commit adds one cell to each of its rows.
    const time = a!.timestamp + b!.timestamp + 1n;
    const result = await store.transact(guards, [
      row(nameOf(from), set("f:balance", String(Number(text(a!.value)) - 1), time)),
      row(nameOf(to), set("f:balance", String(Number(text(b!.value)) + 1), time)),
    ]);
    if (result.committed) return attempt;
    await pause();
  }
}

export function testConcurrency(open: OpenStore, { test, expect }: TestApi, runs: number): void {
  test(
    "guarded read-modify-write transactions of many clients are serializable in every interleaving",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.scheduler(),
          fc.array(
            fc.array(
              fc
                .record({ from: fc.nat(ROWS - 1), step: fc.integer({ min: 1, max: ROWS - 1 }) })
                .map(({ from, step }): Transfer => ({ from, to: (from + step) % ROWS })),
              { minLength: 1, maxLength: 4 },
            ),
            { minLength: 2, maxLength: 4 },
          ),
          async (scheduler, clients) => {
            const store = await open(() => 1n);
            await store.mutate(
              Array.from({ length: ROWS }, (_, i) => row(nameOf(i), set("f:balance", String(START), 0n))),
            );
            let done = 0;
            const running = Promise.all(
              clients.map(async (transfers, client) => {
                for (const one of transfers) {
                  await transfer(store, one, () => scheduler.schedule(Promise.resolve(), `client ${client}`));
                }
                done++;
              }),
            );
            // Engines answer in their own time, so keep releasing clients as they come to a pause.
            while (done < clients.length) {
              if (scheduler.count() > 0) await scheduler.waitOne();
              else await new Promise((resolve) => setTimeout(resolve, 0));
            }
            await running;

            const expected = Array.from({ length: ROWS }, () => START);
            for (const { from, to } of clients.flat()) {
              expected[from]!--;
              expected[to]!++;
            }
            const final = await readRows(store, { ranges: [{ start: bytes("") }] });
            expect(final.map(({ cells }) => Number(text(cells[0]!.value)))).toEqual(expected);
            // Every commit left one cell in each of its two rows: none was lost, none was doubled.
            const cells = final.reduce((sum, found) => sum + found.cells.length, 0);
            expect(cells).toBe(ROWS + 2 * clients.flat().length);
            await store.close();
          },
        ),
        { numRuns: runs },
      ),
    120_000,
  );
}
