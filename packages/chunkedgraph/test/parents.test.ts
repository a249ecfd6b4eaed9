import fc from "fast-check";
import { expect, test } from "vitest";
import { groupByParent, type LayerNodes } from "../src/parents.ts";

/** Nodes 10, 20, 30, … with edges between their positions, and the next layer on which each has an edge. */
function nodes(count: number, edges: readonly (readonly [number, number])[], nextLayer: readonly number[]): LayerNodes {
  const ids = BigUint64Array.from({ length: count }, (_, i) => BigInt(10 * (i + 1)) << 30n);
  const partners = Array.from({ length: count }, (): bigint[] => []);
  for (const [a, b] of edges) {
    partners[a]!.push(ids[b]!);
    partners[b]!.push(ids[a]!);
  }
  const offsets = new Uint32Array(count + 1);
  partners.forEach((list, i) => {
    offsets[i + 1] = offsets[i]! + list.length;
  });
  return {
    layer: 3,
    layers: 7,
    ids,
    offsets,
    partners: BigUint64Array.from(partners.flat()),
    nextLayer: Uint8Array.from({ length: count }, (_, i) => nextLayer[i] ?? 0),
  };
}

test("a component gets a parent one layer up; a lone node on its next edge's layer, else among the roots", () => {
  const { count, groupOf, parentLayer } = groupByParent(
    nodes(
      5,
      [
        [4, 1],
        [1, 2],
      ],
      [5, 6, 0, 0, 0],
    ),
  );
  expect(count).toBe(3);
  expect(groupOf).toEqual(Uint32Array.of(0, 1, 1, 2, 1));
  expect(parentLayer).toEqual(Uint8Array.of(5, 4, 7));
});

test("groups are the connected components, numbered by their smallest member", () => {
  const graph = fc.integer({ min: 1, max: 30 }).chain((count) => {
    const node = fc.integer({ min: 0, max: count - 1 });
    return fc.tuple(fc.constant(count), fc.array(fc.tuple(node, node), { maxLength: 40 }));
  });
  fc.assert(
    fc.property(graph, ([count, edges]) => {
      const { groupOf } = groupByParent(nodes(count, edges, []));
      const labels = Array.from({ length: count }, (_, i) => i);
      for (let pass = 0; pass < count; pass++)
        for (const [a, b] of edges) labels[a] = labels[b] = Math.min(labels[a]!, labels[b]!);
      const order = [...new Set(labels)];
      expect([...groupOf]).toEqual(labels.map((label) => order.indexOf(label)));
    }),
  );
});

test("an edge to a node that is not there is an error, not another group", () => {
  const broken = nodes(2, [[0, 1]], []);
  broken.partners[0] = 77n;
  expect(() => groupByParent(broken)).toThrow("to 77, which is not on that layer");
});

test("no nodes make no groups", () => {
  expect(groupByParent(nodes(0, [], []))).toMatchObject({ count: 0 });
});
