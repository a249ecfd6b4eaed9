import { readRow } from "@pcg/rowstore";
import type { VoxelArray } from "@pcg/volume";
import { expect } from "vitest";
import { checkGraph } from "../../src/check/check-graph.ts";
import { IdLayout, layerOf } from "../../src/ids.ts";
import type { IngestReport } from "../../src/ingest.ts";
import { settingsKey } from "../../src/rows/index.ts";
import { decodeSettings } from "../../src/settings.ts";
import type { Place } from "./harness.ts";
import { boxOf, edgeLines, naiveNodes, naiveSupervoxels, nodeLines, storedEdges, storedNodes } from "./oracle.ts";

/** Compares everything an ingest wrote with the plain reading of the data model. */
export async function checkIngest(place: Place, labels: VoxelArray, report: IngestReport): Promise<void> {
  const settings = decodeSettings((await readRow(place.rows, settingsKey()))!.cells[0]!.value);
  const layout = new IdLayout(settings.layers, settings.spatialBits);
  const expected = naiveSupervoxels(labels, settings);
  const volume = await place.openSupervoxels();
  expect(await volume.scales[0]!.read(boxOf(settings))).toEqual(expected.voxels);

  const { violations } = await checkGraph(place.rows, { voxels: volume.scales[0]! });
  expect(violations).toEqual([]);

  const edges = await storedEdges(place.rows, layout);
  const found = [...edges.get("chunk")!, ...edges.get("faces")!];
  expect(edgeLines(found)).toEqual(edgeLines(expected.edges.values()));
  expect(edges.get("chunk")!.every(({ a, b }) => layout.chunkOf(a) === layout.chunkOf(b))).toBe(true);
  const joined = edges.get("joined")!;
  for (const { a, b } of joined) expect(expected.labelOf.get(a)).toBe(expected.labelOf.get(b));

  const active = [...found, ...joined].filter((edge) => edge.active);
  const nodes = await storedNodes(place.rows);
  expect(nodeLines(nodes)).toEqual(nodeLines(naiveNodes(expected.labelOf.keys(), active, layout)));

  const rootOf = (id: bigint): bigint => {
    const parent = nodes.get(id)!.parent;
    return parent === undefined ? id : rootOf(parent);
  };
  const rootsOfLabel = new Map<bigint, Set<bigint>>();
  for (const [id, label] of expected.labelOf) {
    expect(layerOf(rootOf(id))).toBe(settings.layers);
    rootsOfLabel.set(label, (rootsOfLabel.get(label) ?? new Set()).add(rootOf(id)));
  }
  const roots = [...rootsOfLabel.values()].reduce((sum, set) => sum + set.size, 0);
  if (settings.splitDisconnected) {
    expect(joined).toEqual([]);
    expect(roots).toBe(report.pieces);
  } else {
    expect([...rootsOfLabel.values()].every((set) => set.size === 1)).toBe(true);
    expect(joined.length).toBe(report.pieces - report.labels);
  }
  expect(report).toMatchObject({
    labels: rootsOfLabel.size,
    supervoxels: expected.labelOf.size,
    roots,
    edges: {
      inChunk: edges.get("chunk")!.length,
      betweenChunks: edges.get("faces")!.filter((edge) => !edge.active).length,
      crossChunk: edges.get("faces")!.filter((edge) => edge.active).length,
      joined: joined.length,
    },
  });
}
