import { connectedComponents } from "@pcg/kernels";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isVoxelSplitError, type RelabelRequest, relabelChunks, type Xyz } from "../../src/voxel/index.ts";

/** Mints 1000, 1001, … and remembers for which chunks. */
function minter(): { mint: RelabelRequest["mint"]; calls: (readonly [string, number])[] } {
  let next = 1000n;
  const calls: (readonly [string, number])[] = [];
  return {
    calls,
    mint: (chunk, count) => {
      calls.push([chunk.join(), count]);
      return BigUint64Array.from({ length: count }, () => next++);
    },
  };
}

const line = (labels: readonly (number | bigint)[], sides: readonly number[], rest: Partial<RelabelRequest> = {}) => {
  const { mint, calls } = minter();
  const request: RelabelRequest = {
    labels: BigUint64Array.from(labels, BigInt),
    sides: Uint8Array.from(sides),
    size: [labels.length, 1, 1],
    chunkSize: [4, 1, 1],
    mint,
    ...rest,
  };
  return { ...relabelChunks(request), calls, before: request.labels };
};

describe("one id per chunk, old id, side and component", () => {
  test("a chunk with one side is untouched, and so is the supervoxel beside a split one", () => {
    const { labels, calls, changed, replaced, whole } = line([5, 5, 5, 5, 7, 7, 7, 3], [1, 1, 1, 1, 1, 1, 2, 0]);
    expect(whole).toEqual(new Map([[5n, 1]]));
    expect([...labels]).toEqual([5n, 5n, 5n, 5n, 1000n, 1000n, 1001n, 3n]);
    expect(calls).toEqual([["1,0,0", 2]]);
    expect(changed).toEqual([{ chunk: [1, 0, 0], begin: [4, 0, 0], size: [4, 1, 1] }]);
    expect([...replaced]).toEqual([[7n, BigUint64Array.of(1000n, 1001n)]]);
  });

  test("two members of the object in one chunk keep their own lineage (upstream fuses them into the first)", () => {
    const { fragments } = line([5, 5, 9, 9], [1, 2, 2, 1]);
    expect(fragments.map(({ id, old, side }) => [id, old, side])).toEqual([
      [1000n, 5n, 1],
      [1001n, 5n, 2],
      [1002n, 9n, 2],
      [1003n, 9n, 1],
    ]);
  });

  test("a side in two pieces inside of a chunk gets two ids (upstream gives them one)", () => {
    const { labels, fragments } = line([5, 5, 5, 5], [1, 2, 1, 1]);
    expect([...labels]).toEqual([1000n, 1001n, 1002n, 1002n]);
    expect(fragments.map(({ voxels, at }) => [voxels, at])).toEqual([
      [1, [0, 0, 0]],
      [1, [1, 0, 0]],
      [2, [2, 0, 0]],
    ]);
  });

  test("leftovers are a side of their own", () => {
    expect([...line([5, 5, 5, 5], [1, 2, 3, 3]).labels]).toEqual([1000n, 1001n, 1002n, 1002n]);
  });

  test("the chunk grid may begin anywhere, also beyond the block", () => {
    const at = { offset: [101, 0, 0] as Xyz, chunkOrigin: [3, 0, 0] as Xyz };
    // Chunks end at 103 and 107.
    const { labels, fragments, calls } = line([5, 5, 6, 6, 6, 6], [1, 2, 1, 1, 2, 2], at);
    expect([...labels]).toEqual([1000n, 1001n, 1002n, 1002n, 1003n, 1003n]);
    expect(calls).toEqual([
      ["24,0,0", 2],
      ["25,0,0", 2],
    ]);
    expect(fragments.map((fragment) => fragment.at[0])).toEqual([101, 102, 103, 105]);
    const far = line([5, 5, 5, 5], [1, 1, 2, 2], { chunkOrigin: [1000, 0, 0] });
    expect(far.calls).toEqual([["-250,0,0", 2]]);
  });

  test("ids above 2^53 stay exact", () => {
    const id = 2n ** 63n + 1n;
    const { replaced } = line([id, id, id + 1n, id + 1n], [1, 2, 1, 1]);
    expect([...replaced.keys()]).toEqual([id]);
  });
});

describe("refusals", () => {
  const given = (ids: bigint[]) => () => line([5, 5, 8, 0], [1, 2, 0, 0], { mint: () => BigUint64Array.from(ids) });
  test("too few ids, background, an id twice and an id of the block are refused by name", () => {
    for (const ids of [[1n], [1n, 0n], [1n, 1n], [1n, 8n], [5n, 1n]]) {
      try {
        given(ids)();
        expect.unreachable();
      } catch (error) {
        expect(isVoxelSplitError(error, "BAD_IDS")).toBe(true);
      }
    }
    expect(given([1n])).toThrow(/chunk 0, 0, 0 needs 2 ids, mint gave 1/);
    expect(given([1n, 8n])).toThrow(/id 8 .* taken/);
    expect(given([1n, 0n])).toThrow(/background/);
  });

  test("a voxel of a split supervoxel without a side is refused: it would keep the old id", () => {
    expect(() => line([5, 5, 5, 0], [1, 2, 0, 0])).toThrow(/sides\[2\] is 0, but supervoxel 5/);
  });

  test("arrays that do not fit are refused with the numbers", () => {
    expect(() => line([5, 5], [1])).toThrow(/sides has 1 elements.*has 2/);
    expect(() => line([5, 5], [1, 1], { chunkSize: [0, 1, 1] })).toThrow(/got \[0, 1, 1\]/);
    expect(() => line([5, 5], [1, 1], { offset: [0.5, 0, 0] })).toThrow(/got \[0.5, 0, 0\]/);
  });
});

test("on any block: new ids own a voxel, cover the old ones, lie in one chunk, one side, one piece; all else is untouched", () => {
  fc.assert(
    fc.property(
      fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 7 })),
      fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
      fc.nat(),
      (size, chunkSize, offset, seed) => {
        const random = new Random(seed);
        const chunkOrigin: Xyz = [random.below(7), random.below(7), -random.below(7)];
        const voxels = size[0] * size[1] * size[2];
        const positions = Array.from(
          { length: voxels },
          (_, voxel): Xyz => [
            voxel % size[0],
            Math.floor(voxel / size[0]) % size[1],
            Math.floor(voxel / (size[0] * size[1])),
          ],
        );
        const chunkOf = (voxel: number): string =>
          positions[voxel]!.map((at, a) => Math.floor((at + offset[a]! - chunkOrigin[a]!) / chunkSize[a]!)).join();
        // Supervoxels lie in one chunk each, two per chunk; odd ones are split.
        const numbers = new Map<string, bigint>();
        const labels = BigUint64Array.from({ length: voxels }, (_, voxel) => {
          const chunk = chunkOf(voxel);
          if (!numbers.has(chunk)) numbers.set(chunk, BigInt(numbers.size) * 2n + 1n);
          return random.below(6) === 0 ? 0n : numbers.get(chunk)! + BigInt(random.below(2));
        });
        const sides = Uint8Array.from(labels, (label) => (label % 2n === 1n ? random.between(1, 3) : 0));
        const before = labels.slice();
        const { mint } = minter();
        const result = relabelChunks({ labels, sides, size, offset, chunkSize, chunkOrigin, mint });
        expect(labels).toEqual(before);

        const known = new Map(result.fragments.map((fragment) => [fragment.id, fragment]));
        const counts = new Map<bigint, number>();
        result.labels.forEach((label, voxel) => {
          counts.set(label, (counts.get(label) ?? 0) + 1);
          const fragment = known.get(label);
          if (fragment === undefined) expect(label).toBe(labels[voxel]);
          else
            expect([fragment.old, fragment.side, fragment.chunk.join()]).toEqual([
              labels[voxel],
              sides[voxel],
              chunkOf(voxel),
            ]);
        });
        for (const [old, ids] of result.replaced) {
          expect(counts.has(old)).toBe(false);
          expect(new Set([...ids].map((id) => known.get(id)!.side)).size).toBeGreaterThan(1);
        }
        for (const { id, voxels: count, at } of result.fragments) {
          expect(counts.get(id)).toBe(count);
          const voxel = at.map((a, axis) => a - offset[axis]!);
          expect(result.labels[voxel[0]! + size[0] * (voxel[1]! + size[1] * voxel[2]!)]).toBe(id);
          const own = Uint8Array.from(result.labels, (label) => (label === id ? 1 : 0));
          expect(connectedComponents(own, size, 26).count).toBe(1);
        }
        // What stays whole has one side.
        labels.forEach((label, voxel) => {
          if (sides[voxel] === 0 || result.replaced.has(label)) return;
          labels.forEach((other, there) => {
            if (other === label) expect(sides[there]).toBe(sides[voxel]);
          });
        });
      },
    ),
    { numRuns: 60 },
  );
});
