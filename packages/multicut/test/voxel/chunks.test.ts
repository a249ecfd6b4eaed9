import { connectedComponents, countContacts, renumber, type Size } from "@pcg/kernels";
import { beforeAll, describe, expect, test } from "vitest";
import { drawShape, shapes } from "../../scripts/shapes.mjs";
import {
  type EdgeTable,
  type Relabelling,
  type Routing,
  relabelChunks,
  routeEdges,
  splitVoxels,
  type VoxelSplit,
  type Xyz,
} from "../../src/voxel/index.ts";

const names = [
  "two balls, seeds near",
  "touching fibres",
  "balls of 40×4×4",
  "a tube that comes",
  "three blobs",
  "a branch",
];
const offset: Xyz = [1000, -60, 7];

/** The object as supervoxels: one per chunk and 26-component, and infinite edges where chunk borders cut it apart. */
function supervoxelsOf(
  mask: Uint8Array,
  size: Size,
  chunkSize: Xyz,
  chunkOrigin: Xyz,
): { labels: BigUint64Array } & EdgeTable {
  const chunkOf = (voxel: number): number => {
    const at = [voxel % size[0], Math.floor(voxel / size[0]) % size[1], Math.floor(voxel / (size[0] * size[1]))];
    const [x, y, z] = at.map(
      (a, axis) => Math.floor((a + offset[axis]! - chunkOrigin[axis]!) / chunkSize[axis]!) + 500,
    );
    return x! + 1000 * (y! + 1000 * z!) + 1;
  };
  const chunks = Uint32Array.from(mask, (inside, voxel) => (inside === 0 ? 0 : chunkOf(voxel)));
  const { components } = connectedComponents(chunks, size, 26);
  const { pairs, areas } = countContacts(components, size);
  const id = (component: number): bigint => 2n ** 56n + BigInt(component);
  return {
    labels: BigUint64Array.from(components, (component) => (component === 0 ? 0n : id(component))),
    edges: BigUint64Array.from(pairs, id),
    affinities: new Float64Array(areas.length).fill(Number.POSITIVE_INFINITY),
    areas: BigUint64Array.from(areas, BigInt),
  };
}

/** The one side of each supervoxel; throws for one that lies on two. */
function sidesOfIds(labels: BigUint64Array, sides: Uint8Array): Map<bigint, number> {
  const { indices, labels: table } = renumber(labels);
  const sideOf = new Uint8Array(table.length);
  for (let voxel = 0; voxel < indices.length; voxel++) {
    const index = indices[voxel]!;
    if (sideOf[index] !== 0 && sideOf[index] !== sides[voxel]) throw new Error(`${table[index]} lies on two sides`);
    sideOf[index] = sides[voxel]!;
  }
  return new Map(Array.from(table, (id, index) => [id, sideOf[index]!]));
}

describe.each(shapes.filter(({ name }) => names.some((start) => name.startsWith(start))))(
  "$name, in chunks",
  (shape) => {
    const { size, voxelSize } = shape;
    const { mask } = drawShape(shape);
    const seeds = shape.seeds.map((group) =>
      group.map((at): Xyz => [at[0] + offset[0], at[1] + offset[1], at[2] + offset[2]]),
    );
    const half = size.map((length) => Math.ceil(length / 2)) as unknown as Xyz;
    const middle = offset.map((at, axis) => at + half[axis]! - 3) as unknown as Xyz;
    const cases = [
      { chunks: 1, chunkSize: size, chunkOrigin: offset },
      { chunks: 8, chunkSize: size, chunkOrigin: middle },
    ];
    const outcomes: {
      chunks: number;
      split: VoxelSplit;
      labels: BigUint64Array;
      relabelled: Relabelling;
      routing: Routing;
    }[] = [];

    beforeAll(async () => {
      for (const { chunks, chunkSize, chunkOrigin } of cases) {
        const { labels, ...table } = supervoxelsOf(mask, size, chunkSize, chunkOrigin);
        const ids = BigUint64Array.from(renumber(labels).labels.slice(1));
        const split = await splitVoxels({ labels, ids, size, voxelSize, offset, seeds });
        let next = 2n ** 60n;
        const mint = (_: Xyz, count: number): BigUint64Array => BigUint64Array.from({ length: count }, () => next++);
        const relabelled = relabelChunks({ labels, sides: split.sides, size, offset, chunkSize, chunkOrigin, mint });
        const routing = routeEdges({
          ...table,
          fragments: relabelled.fragments,
          whole: relabelled.whole,
          groups: seeds.length,
          labels: relabelled.labels,
          size,
          offset,
          voxelSize,
          sameObject: () => true,
        });
        outcomes.push({ chunks, split, labels, relabelled, routing });
      }
    });

    test("one chunk or eight: the same surface, without a step at the seams", () => {
      expect(Buffer.compare(outcomes[1]!.split.sides, outcomes[0]!.split.sides)).toBe(0);
      expect(new Set(outcomes[0]!.labels).size).toBeLessThan(new Set(outcomes[1]!.labels).size);
    });

    test("every supervoxel lies on one side afterwards", () => {
      for (const { relabelled, split } of outcomes) sidesOfIds(relabelled.labels, split.sides);
    });

    test("the edges are routed without a cascade, and infinite ones tie no two sides", () => {
      for (const { relabelled, split, routing } of outcomes) {
        if (routing.kind !== "routed") throw new Error(`routing ended as ${routing.kind}`);
        const sideOf = new Map<bigint, number>();
        relabelled.labels.forEach((label, voxel) => {
          sideOf.set(label, split.sides[voxel]!);
        });
        routing.affinities.forEach((affinity, row) => {
          const [a, b] = [routing.edges[2 * row]!, routing.edges[2 * row + 1]!];
          expect(a).toBeLessThan(b);
          if (affinity === Number.POSITIVE_INFINITY) expect(sideOf.get(a)).toBe(sideOf.get(b));
          else expect([affinity, relabelled.fragments.some(({ id }) => id === a)]).toEqual([0.001, true]);
        });
      }
    });
  },
);
