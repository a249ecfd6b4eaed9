import type { Box, Xyz } from "@pcg/volume";
import { describe, expect, test } from "vitest";
import type { Graph } from "../src/contract.ts";
import { openGraph } from "../src/graph.ts";
import type { VoxelSource } from "../src/voxels.ts";
import { offsetIn } from "../src/voxels.ts";
import { buildGraph, settingsOf } from "./support/build-graph.ts";
import { named, sketch } from "./support/letters.ts";

const id = named(4);

/** Voxels given by a function of position. */
function voxelsFrom(at: (voxel: Xyz) => bigint): VoxelSource {
  return {
    async read({ begin, end }: Box): Promise<BigUint64Array> {
      const data = new BigUint64Array((end[0] - begin[0]) * (end[1] - begin[1]) * (end[2] - begin[2]));
      for (let z = begin[2]; z < end[2]; z++)
        for (let y = begin[1]; y < end[1]; y++)
          for (let x = begin[0]; x < end[0]; x++) data[offsetIn({ begin, end }, [x, y, z])] = at([x, y, z]);
      return data;
    },
  };
}

/** Chunks of 16³ from (100, −50, 7); A0 fills x < 104 of chunk A, A1 x ≥ 112, B0 the whole of chunk B; 8×8×40 nm. */
async function open(): Promise<Graph> {
  const test = sketch(4, ["A0", "A1 inf B0", "C0"]);
  const rows = await buildGraph(test);
  const voxels = voxelsFrom(([x, y, z]) => {
    if (y >= -34 || z >= 23) return 0n;
    if (x < 104) return id("A0");
    if (x >= 112 && x < 116) return id("A1");
    return x >= 116 && x < 132 ? id("B0") : 0n;
  });
  expect(settingsOf(test).voxelOffset).toEqual([100, -50, 7]);
  return await openGraph({ rows, voxels });
}

async function rootOf(graph: Graph, name: string): Promise<bigint> {
  return (await (await graph.view()).roots(BigUint64Array.of(id(name))))[0]!;
}

describe("what a pick means", () => {
  test("a supervoxel id is taken as it is, wherever the position in the volume", async () => {
    const graph = await open();
    const picks = [{ id: id("A0"), position: [120, -40, 9] as const }];
    expect(await graph.resolve(picks)).toEqual(BigUint64Array.of(id("A0")));
  });

  test("a root is the supervoxel at the position, given as voxel corner or centre", async () => {
    const graph = await open();
    const object = await rootOf(graph, "A1");
    const resolved = async (position: Xyz): Promise<bigint> => (await graph.resolve([{ id: object, position }]))[0]!;
    expect(await resolved([112, -50, 7])).toBe(id("A1"));
    expect(await resolved([115.5, -49.5, 7.5])).toBe(id("A1"));
    expect(await resolved([116, -50, 7])).toBe(id("B0"));
    expect(await resolved([131.99, -34.01, 22.99])).toBe(id("B0"));
  });

  test("beside the object it is the nearest of its voxels in nanometres, not in voxels", async () => {
    const graph = await open();
    const object = await rootOf(graph, "A1");
    const resolved = async (position: Xyz): Promise<bigint> => (await graph.resolve([{ id: object, position }]))[0]!;
    expect(await resolved([108.5, -45, 10.5])).toBe(id("A1"));
    // 10 voxels along x are 80 nm; one slice in z is 40 nm.
    expect(await resolved([114.5, -45, 23.5])).toBe(id("A1"));
    expect(await resolved([141.5, -45, 10.5])).toBe(id("B0"));
  });

  test("an id of a middle layer means that node only", async () => {
    const graph = await open();
    const view = await graph.view();
    const [level2] = await view.parents(BigUint64Array.of(id("B0")));
    expect(await graph.resolve([{ id: level2!, position: [112, -45, 10] }])).toEqual(BigUint64Array.of(id("B0")));
  });

  test("out of reach, outside the volume, superseded or unknown it means nothing, and the reason is named", async () => {
    const graph = await open();
    const object = await rootOf(graph, "A0");
    const refusal = async (pick: { id: bigint; position: Xyz }): Promise<unknown> =>
      await graph.resolve([pick]).then(
        (ids) => ids,
        (error: unknown) => (error as { code: string }).code,
      );
    // 28 mean voxels of 18.7 nm are 522.7 nm: 65 voxels along x.
    expect(await refusal({ id: await rootOf(graph, "B0"), position: [163, -45, 10] })).toEqual(
      BigUint64Array.of(id("B0")),
    );
    expect(await refusal({ id: object, position: [163, -45, 10] })).toEqual(BigUint64Array.of(id("A0")));
    expect(await refusal({ id: await rootOf(graph, "C0"), position: [120, -45, 10] })).toBe("no-supervoxel");
    expect(await refusal({ id: object, position: [164, -45, 10] })).toBe("outside-volume");
    expect(await refusal({ id: object, position: [99.9, -45, 10] })).toBe("outside-volume");
    expect(await refusal({ id: object + 99n, position: [101, -45, 10] })).toBe("unknown-id");
    expect(await refusal({ id: object, position: [101, Number.NaN, 10] })).toBe("invalid-argument");
    await graph.merge({
      user: "ann",
      picks: [
        { id: object, position: [101, -45, 10] },
        { id: await rootOf(graph, "A1"), position: [113, -45, 10] },
      ],
    });
    expect(await refusal({ id: object, position: [101, -45, 10] })).toBe("superseded");
    expect(await refusal({ id: await rootOf(graph, "A0"), position: [101, -45, 10] })).toEqual(
      BigUint64Array.of(id("A0")),
    );
  });
});

test("supervoxels at voxels keep order; background is 0; outside the volume is refused", async () => {
  const graph = await open();
  const at = [
    [131, -35, 22],
    [100, -50, 7],
    [105, -50, 7],
    [100, -50, 7],
    [112, -34, 7],
  ] as const;
  expect(await graph.supervoxelsAt(at)).toEqual(BigUint64Array.of(id("B0"), id("A0"), 0n, id("A0"), 0n));
  expect(await graph.supervoxelsAt([])).toEqual(new BigUint64Array());
  await expect(graph.supervoxelsAt([[100, -50, 6]])).rejects.toMatchObject({ code: "outside-volume" });
});

test("a volume of another type, or none, is refused when it is needed", async () => {
  const rows = await buildGraph(sketch(4, ["A0"]));
  const narrow = await openGraph({ rows, voxels: { read: async () => new Uint32Array(1) } });
  await expect(narrow.supervoxelsAt([[100, -50, 7]])).rejects.toThrow("are Uint32Array, not BigUint64Array");
  await expect((await openGraph({ rows })).supervoxelsAt([[100, -50, 7]])).rejects.toMatchObject({ code: "no-voxels" });
});
