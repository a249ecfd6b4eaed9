/**
 * A process that uses the row store in the folder argv[2] as argv[3] says; see the tests of several processes.
 * @module
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { decodeCounter, encodeCounter, type Op, readRow, readRows } from "../src/index.ts";
import { openLmdbRowStore } from "../src/lmdb.ts";

const [, , folder, role, ...rest] = process.argv as [string, string, string, string, ...string[]];
const [first = 0, second = 0] = rest.map(Number);
const store = await openLmdbRowStore(folder);
const bytes = (text: string) => new TextEncoder().encode(text);
const column = { family: "f", qualifier: bytes("n") };
const say = (line: unknown) => process.stdout.write(`${line}\n`);
const set = (value: bigint, timestamp: bigint): Op => ({ op: "set", column, value: encodeCounter(value), timestamp });

switch (role) {
  /** Adds 1 to each of two rows out of `second`, `first` times, by guarded read-modify-write. */
  case "count": {
    for (let done = 0; done < first; ) {
      const names = [done % second, (done + 1) % second].map((i) => bytes(`row ${i}`));
      const read = await Promise.all(names.map((key) => readRow(store, key, { versions: 1 })));
      const cells = read.map((row) => row?.cells[0]);
      const result = await store.transact(
        names.map((key, i) => {
          const cell = cells[i];
          if (cell === undefined) return { key, when: { kind: "absent", column } };
          return {
            key,
            when: {
              kind: "all",
              of: [
                { kind: "cell", column, tsFrom: cell.timestamp, valueEq: cell.value },
                { kind: "absent", column, tsFrom: cell.timestamp + 1n },
              ],
            },
          };
        }),
        names.map((key, i) => {
          const value = (cells[i] === undefined ? 0n : decodeCounter(cells[i].value)) + 1n;
          return { key, ops: [set(value, value)] };
        }),
      );
      if (result.committed) done++;
      await store.increment(bytes("attempts"), column, 1n);
    }
    await store.close();
    break;
  }

  /** Writes pairs of rows from number `first` on for ever, several at a time, and says each number that is durable. */
  case "pairs": {
    let next = first;
    const value = new Uint8Array(300).fill(7);
    const writer = async () => {
      for (;;) {
        const n = next++;
        const ops: Op[] = [{ op: "set", column, value }];
        await store.transact(
          [],
          [
            { key: bytes(`left ${n}`), ops },
            { key: bytes(`right ${n}`), ops },
          ],
        );
        say(n);
      }
    };
    await Promise.all(Array.from({ length: 8 }, writer));
    break;
  }

  /** Writes pairs of rows until the system refuses; says each number that is durable and then why the next is not. */
  case "full": {
    const ops: Op[] = [{ op: "set", column, value: new Uint8Array(20_000).fill(7) }];
    for (let n = 0; ; n++) {
      const rows = ["left", "right"].map((side) => ({ key: bytes(`${side} ${n}`), ops }));
      const guards = n % 2 === 0 ? [] : [{ key: bytes(`left ${n}`), when: { kind: "absent", column } as const }];
      try {
        await store.transact(guards, rows);
      } catch (error) {
        writeSync(1, `${(error as { code: string }).code} ${(error as Error).message}\n`);
        process.exit(0);
      }
      writeSync(1, `${n}\n`);
    }
  }

  /** For each line "read <key>" says the newest counter of the row as soon as asked. */
  case "echo": {
    say("ready");
    for await (const line of createInterface({ input: process.stdin })) {
      const row = await readRow(store, bytes(line), { versions: 1 });
      say(row === undefined ? "absent" : decodeCounter(row.cells[0]!.value));
    }
    await store.close();
    break;
  }

  /** Reads everything over and over and says how many rows there were. */
  case "scan": {
    for (;;) say((await readRows(store, { ranges: [{ start: new Uint8Array(0) }] })).length);
  }
}
