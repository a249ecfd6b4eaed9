import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildMultiscales, datasetOf, mapAxes, type NgffAxis, parseMultiscales, placeDataset } from "../src/ngff.ts";

const axes: readonly NgffAxis[] = ["z", "y", "x"].map((name) => ({ name, type: "space", unit: "nanometer" }));
const scale = (...values: number[]) => ({ type: "scale", scale: values });
const translation = (...values: number[]) => ({ type: "translation", translation: values });

function group(datasetTransformations: unknown[], groupTransformations?: unknown[], more: object = {}) {
  const datasets = [{ path: "0", coordinateTransformations: datasetTransformations }];
  const outer = groupTransformations && { coordinateTransformations: groupTransformations };
  return { multiscales: [{ version: "0.4", axes, datasets, ...outer, ...more }] };
}

function place(attributes: object, shape: readonly number[] = [9, 9, 9]) {
  const parsed = parseMultiscales(attributes as never, ".zattrs")!;
  const map = mapAxes(parsed.axes, shape, ".zattrs");
  return { map, ...placeDataset(parsed.datasets[0]!, parsed.axes, map, ".zattrs") };
}

test("a translation of voxel offset × resolution is the voxel offset", () => {
  const placed = place(group([scale(40, 8, 8), translation(4040, 5656, 104)]));
  expect(placed).toMatchObject({ resolution: [8, 8, 40], voxelOffset: [13, 707, 101] });
});

test("transformations of the dataset come before those of the group", () => {
  const attributes = group([scale(1, 2, 2), translation(1, 4, 6)], [scale(40, 4, 4), translation(80, 0, 8)]);
  expect(place(attributes)).toMatchObject({ resolution: [8, 8, 40], voxelOffset: [4, 2, 3] });
});

test("a translation before a scale is scaled with it", () => {
  expect(place(group([translation(1, 2, 3), scale(40, 8, 8)]))).toMatchObject({ voxelOffset: [3, 2, 1] });
});

test.each([
  ["angstrom", 80, 8],
  ["nanometer", 8, 8],
  ["micrometer", 0.008, 8],
  ["millimeter", 0.000008, 8],
  ["meter", 8e-9, 8],
  [undefined, 8, 8],
])("unit %s: a voxel of %s is %s nm", (unit, size, expected) => {
  const withUnit = axes.map(({ name, type }) => ({ name, type, ...(unit && { unit }) }));
  const attributes = group([scale(size, size, size)], undefined, { axes: withUnit });
  expect(place(attributes).resolution).toEqual([expected, expected, expected]);
});

test("an unknown unit is refused by name", () => {
  const attributes = group([scale(1, 1, 1)], undefined, { axes: axes.map((axis) => ({ ...axis, unit: "furlong" })) });
  expect(() => place(attributes)).toThrow(/furlong.*angstrom/);
});

// Levels of factor F whose writer means voxel centres: their translation is (F−1)/2 voxels of the finest level.
test.each([1, 2, 4, 8, 64])("level %s× by the centre convention starts at the same corner", (factor) => {
  const shift = (factor - 1) / 2;
  const size = factor * 8;
  const attributes = group([scale(size, size, size), translation(shift * 8, shift * 8, 4 * size + shift * 8)]);
  expect(place(attributes).voxelOffset).toEqual([4, 0, 0]);
});

test.each([
  [0.5, 0],
  [0.51, 1],
  [-0.5, -1],
  [-0.49, 0],
  [1.5, 1],
  [2.5000001, 2],
])("an offset of %s voxels is rounded to %s", (offset, expected) => {
  expect(place(group([scale(8, 8, 8), translation(0, 0, offset * 8)])).voxelOffset[0]).toBe(expected);
});

describe("axes", () => {
  const named = (...names: string[]): NgffAxis[] =>
    names.map((name) => ({ name, type: name === "c" ? "channel" : name === "t" ? "time" : "space" }));

  test.each([
    ["zyx", [2, 1, 0, -1]],
    ["xyz", [0, 1, 2, -1]],
    ["czyx", [3, 2, 1, 0]],
    ["zyxc", [2, 1, 0, 3]],
    ["tczyx", [4, 3, 2, 1]],
    ["yx", [1, 0, -1, -1]],
  ])("%s are found by name", (names, expected) => {
    expect(mapAxes(named(...names), [1, 2, 3, 4, 5].slice(0, names.length), "key")).toEqual(expected);
  });

  test("space axes of other names count from the last, which is x", () => {
    expect(mapAxes(named("d0", "d1", "d2"), [3, 4, 5], "key")).toEqual([2, 1, 0, -1]);
  });

  test("several times, one or four space axes and two channel axes are refused", () => {
    expect(() => mapAxes(named("t", "z", "y", "x"), [2, 3, 3, 3], "key")).toThrow("Axis t with 2 times");
    expect(() => mapAxes(named("x"), [3], "key")).toThrow("1 space axes");
    expect(() => mapAxes(named("x", "y", "z", "w"), [3, 3, 3, 3], "key")).toThrow("4 space axes");
    const two = [...named("c", "y", "x"), { name: "c2", type: "channel" } as const];
    expect(() => mapAxes(two, [3, 3, 3, 3], "key")).toThrow("2 channel axes");
  });

  test("an array with another number of dimensions than axes is refused", () => {
    expect(() => mapAxes(named("z", "y", "x"), [3, 3], "key")).toThrow("3 dimensions");
  });
});

test.each([
  ["a scale of zero", group([scale(0, 1, 1)])],
  ["a scale of NaN", group([scale(Number.NaN, 1, 1)])],
  ["a scale of two numbers", group([scale(1, 1)])],
  ["a rotation", group([{ type: "rotation", rotation: [] }])],
  ["a path out of the group", group([scale(1, 1, 1)], undefined, { datasets: [{ path: "../../etc" }] })],
  ["no datasets", group([], undefined, { datasets: [] })],
  ["two axes of one name", group([], undefined, { axes: [axes[0], axes[0], axes[1]] })],
  ["version 0.6", group([], undefined, { version: "0.6" })],
  ["multiscales that is no array", { multiscales: 5 }],
  ["an empty list of multiscales", { multiscales: [] }],
])("%s is refused by a VolumeError", (_what, attributes) => {
  expect(() => parseMultiscales(attributes as never, ".zattrs")).toThrow(
    expect.objectContaining({ name: "VolumeError", key: ".zattrs" }),
  );
});

test("attributes without multiscales are no multiscales", () => {
  expect(parseMultiscales({ ome: { labels: ["cells"] } }, "zarr.json")).toBeUndefined();
});

test("what is built is parsed back, in both versions", () => {
  const triple = fc.tuple(fc.integer(), fc.integer(), fc.integer());
  const size = fc.double({ min: 0.001, max: 1e6, noNaN: true }).map((value) => Number(value.toPrecision(6)));
  const level = fc.record({ resolution: fc.tuple(size, size, size), voxelOffset: triple });
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), fc.boolean(), (levels, isLabel) => {
      const datasets = levels.map((placement, number) => datasetOf(String(number), placement, axes));
      for (const version of ["0.4", "0.5"] as const) {
        const attributes = buildMultiscales({ name: "cells", axes, datasets, isLabel }, version);
        const parsed = parseMultiscales(JSON.parse(JSON.stringify(attributes)) as never, "key")!;
        expect(parsed).toMatchObject({ name: "cells", axes, isLabel });
        const map = mapAxes(parsed.axes, [9, 9, 9], "key");
        expect(parsed.datasets.map((dataset) => placeDataset(dataset, axes, map, "key"))).toEqual(levels);
      }
    }),
  );
});

test("version 0.4 says so in each multiscales, 0.5 once beside them", () => {
  const multiscales = {
    name: undefined,
    axes,
    datasets: [datasetOf("0", { resolution: [8, 8, 40], voxelOffset: [0, 0, 0] }, axes)],
    isLabel: true,
  };
  const datasets = [{ path: "0", coordinateTransformations: [scale(40, 8, 8)] }];
  expect(buildMultiscales(multiscales, "0.4")).toEqual({
    multiscales: [{ version: "0.4", axes, datasets }],
    "image-label": { version: "0.4" },
  });
  expect(buildMultiscales(multiscales, "0.5")).toEqual({
    ome: { version: "0.5", multiscales: [{ axes, datasets }], "image-label": {} },
  });
});
