import { describe, expect, test } from "vitest";
import type { GraphView } from "../src/contract.ts";
import { openSketch } from "./support/letters.ts";

/** One object: a chain of eight supervoxels in four chunks. */
async function chain(): Promise<{
  view: GraphView;
  root: bigint;
  box: { begin: [number, number, number]; end: [number, number, number] };
}> {
  const s = await openSketch(4, ["A0 1 A1", "A1 inf B0", "B0 1 B1", "B1 inf C0", "C0 1 C1", "A1 inf Y0", "Y0 1 Y1"]);
  const { voxelOffset: begin, chunkSize } = s.graph.settings;
  const end = begin.map((low, axis) => low + chunkSize[axis]!) as [number, number, number];
  return { view: await s.graph.view(), root: await s.root("A0"), box: { begin: [...begin], end } };
}

describe("a read with a limit", () => {
  test.each(["leaves", "level2Graph", "subgraph"] as const)("%s answers up to it and refuses beyond", async (read) => {
    const { view, root, box } = await chain();
    const whole = await view[read](root);
    // Of nodes and edges, whichever are more: 8 supervoxels; 4 level-2 nodes and 3 edges; 8 supervoxels and 7 edges.
    const most = { leaves: 8, level2Graph: 4, subgraph: 8 }[read];
    expect(await view[read](root, { limit: most })).toEqual(whole);
    for (let limit = most - 1; limit >= 0; limit--) {
      const refusal = { code: "too-large", fields: { limit }, message: expect.stringContaining(`more than ${limit} `) };
      await expect(view[read](root, { limit })).rejects.toMatchObject(refusal);
    }
    expect(await view[read](root, { box, limit: 2 })).toEqual(await view[read](root, { box }));
    expect(await view[read](root, { box })).not.toEqual(whole);
  });

  test("edges count as nodes do", async () => {
    const complete = ["A0 1 A1", "A0 1 A2", "A0 1 A3", "A1 1 A2", "A1 1 A3", "A2 1 A3"];
    const s = await openSketch(3, complete);
    const view = await s.graph.view();
    const root = await s.root("A0");
    expect((await view.subgraph(root, { limit: 6 })).affinities).toHaveLength(6);
    await expect(view.subgraph(root, { limit: 5 })).rejects.toMatchObject({ code: "too-large" });
  });
});
