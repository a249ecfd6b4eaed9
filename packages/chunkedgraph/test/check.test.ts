import { type Cell, type Column, memoryRowStore, type RowStore, readRows } from "@pcg/rowstore";
import { describe, expect, test } from "vitest";
import { checkGraph } from "../src/check/check-graph.ts";
import { layerOf } from "../src/ids.ts";
import * as rows from "../src/rows/index.ts";
import { openSketch } from "./support/letters.ts";

const EVERYTHING = { ranges: [{ start: Uint8Array.of(0) }] };

async function copyOf(store: RowStore): Promise<RowStore> {
  const copy = memoryRowStore();
  const all = await readRows(store, EVERYTHING);
  await copy.mutate(
    all.map(({ key, cells }) => ({
      key,
      ops: cells.map(({ family, qualifier, value, timestamp }) => ({
        op: "set",
        column: { family, qualifier },
        value,
        timestamp,
      })),
    })),
  );
  return copy;
}

async function edited() {
  const s = await openSketch(5, [
    "A0 0.5 A1",
    "A1 inf B0",
    "B0 ~9 B1",
    "B1 inf C0",
    "Y0 ~3 Y1",
    "Y0 inf A0",
    "Z0",
    "W0",
  ]);
  await s.merge("B0", "B1");
  await s.merge("C0", "Z0");
  await s.merge("Y1", "W0");
  await s.merge("Y0", "Y1");
  await s.merge("A0", "A0").catch(() => undefined);
  return s;
}

test("a sound graph has no violations, and the report counts what is there", async () => {
  const s = await edited();
  const report = await checkGraph(s.rows);
  expect(report.violations).toEqual([]);
  expect(report).toMatchObject({ supervoxels: 9, roots: 1, operations: 5, activeEdges: 8, violationCount: 0 });
  for (const { time } of await s.graph.history.changeLog(await s.root("A0")))
    expect((await checkGraph(s.rows, { time: time - 1n })).violations).toEqual([]);
});

describe("a damaged graph is noticed", () => {
  test("when any one cell of a node, root, operation, edge, counter or the head is lost", async () => {
    const s = await edited();
    const unchecked: string[] = [];
    let cells = 0;
    for (const { key, cells: all } of await readRows(s.rows, EVERYTHING)) {
      if ([rows.KIND.settings, rows.KIND.ingest].includes(key[0] as never)) continue;
      for (const cell of all) {
        const copy = await copyOf(s.rows);
        const lost = { op: "deleteColumn", column: cell, from: cell.timestamp, to: cell.timestamp + 1n } as const;
        await copy.mutate([{ key, ops: [lost] }]);
        cells++;
        if ((await checkGraph(copy)).violationCount === 0) unchecked.push(describeCell(key, cell));
      }
    }
    expect(cells).toBeGreaterThan(150);
    // Cross edges of the past show when the past is checked; blocks without an active edge change nothing.
    const history = unchecked.filter((text) => !text.startsWith("n x"));
    expect(history.filter((text) => !text.startsWith("e b"))).toEqual([]);
  });

  const layer2 = (id: bigint): boolean => layerOf(id) === 2;
  const damage: Record<string, (store: RowStore, id: (name: string) => bigint) => Promise<void>> = {
    "a supervoxel's parent is another level-2 node": async (store, id) => {
      const [other] = await nodes(store, (node) => layer2(node));
      await set(store, rows.nodeKey(id("W0")), rows.PARENT, rows.packId(other!));
    },
    "a node lists a child it does not have": async (store, id) => {
      const [node] = (await nodes(store, layer2)).slice(-1);
      await set(store, rows.nodeKey(node!), rows.CHILDREN, rows.packIds(BigUint64Array.of(id("A0"), id("Z0"))));
    },
    "an id is outside the volume": async (store, id) => {
      await set(store, rows.nodeKey(id("Z0") + (1n << 50n)), rows.PARENT, rows.packId(1n));
    },
    "an edge is active that the hierarchy does not know": async (store, id) => {
      const edit = rows.encodeEdgeEdit({ kind: "add", affinity: 1, area: 0n });
      const s = await openSketch(5, ["A0", "C0"]);
      await set(s.rows, rows.edgesKey(id("A0") - 1n), rows.editColumn(id("A0"), id("C0")), edit);
      expect((await checkGraph(s.rows)).violations.map(({ rule }) => rule)).toContain("component");
      await set(store, rows.edgesKey(id("A0") - 1n), rows.editColumn(id("C0"), id("A0")), edit);
    },
    "a cross edge names the wrong partner": async (store) => {
      const [node] = await nodes(store, layer2);
      await set(store, rows.nodeKey(node!), rows.crossColumn(2), rows.packIds(BigUint64Array.of(node!)));
    },
    "a counter is behind": async (store) => {
      for await (const row of store.read({ ranges: [rows.kindRange(rows.KIND.counter)] }))
        await set(store, row.key, rows.COUNTER, rows.packId(0n));
    },
  };
  for (const [name, harm] of Object.entries(damage))
    test(`when ${name}`, async () => {
      const s = await edited();
      await harm(s.rows, s.id);
      const { violations, violationCount } = await checkGraph(s.rows, { maxViolations: 1 });
      expect(violations).toHaveLength(1);
      expect(violationCount).toBeGreaterThanOrEqual(1);
    });
});

/** Writes a cell later than all others, or in place of a present value. */
async function set(store: RowStore, key: Uint8Array, column: Column, value: Uint8Array): Promise<void> {
  const timestamp = key[0] === rows.KIND.counter ? rows.PRESENT : 1_600_000_000_000_000n;
  await store.mutate([
    {
      key,
      ops: [
        { op: "deleteColumn", column },
        { op: "set", column, value, timestamp },
      ],
    },
  ]);
}

async function nodes(store: RowStore, wanted: (id: bigint) => boolean): Promise<bigint[]> {
  return (await readRows(store, { ranges: [rows.allNodes()] })).map((row) => rows.idOfKey(row.key)).filter(wanted);
}

function describeCell(key: Uint8Array, cell: Cell): string {
  return `${String.fromCharCode(key[0]!)} ${cell.family} ${rows.idOfKey(key)} ${cell.qualifier} at ${cell.timestamp}`;
}
