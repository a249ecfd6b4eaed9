import { expect, test } from "vitest";
import { memoryRowStore, readRow } from "../src/index.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("callers may reuse the bytes they wrote and change the bytes they read", async () => {
  const rows = memoryRowStore({ clock: () => 7n });
  const key = bytes("row");
  const value = bytes("first");
  const column = { family: "f", qualifier: bytes("q") };
  await rows.mutate([{ key, ops: [{ op: "set", column, value }] }]);
  key[0] = value[0] = column.qualifier[0] = 0;
  const read = async () => (await readRow(rows, bytes("row")))!;
  const row = await read();
  expect(row).toEqual({
    key: bytes("row"),
    cells: [{ family: "f", qualifier: bytes("q"), timestamp: 7n, value: bytes("first") }],
  });
  row.cells[0]!.value[0] = 0;
  expect((await read()).cells[0]!.value).toEqual(bytes("first"));
});
