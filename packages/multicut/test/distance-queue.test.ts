import fc from "fast-check";
import { expect, test } from "vitest";
import { DistanceQueue } from "../src/distance-queue.ts";

/** Distances to give vertices, in this order; -1 takes the nearest. */
const steps = fc.array(
  fc.tuple(fc.nat(400), fc.oneof(fc.constant(-1), fc.nat(30), fc.double({ min: 0, max: 1e16, noNaN: true }))),
  { maxLength: 2000 },
);

test("vertices leave nearest first, equal ones by number, each at its least distance, whatever happened before", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const distance = new Float64Array(401).fill(Infinity);
      const queue = new DistanceQueue(distance);
      const waiting = new Set<number>();
      const takeNearest = () => {
        const nearest = [...waiting].sort((a, b) => distance[a]! - distance[b]! || a - b)[0] ?? -1;
        expect(queue.pop()).toBe(nearest);
        waiting.delete(nearest);
      };
      for (const [vertex, key] of list) {
        if (key < 0) takeNearest();
        else if (key < distance[vertex]!) {
          distance[vertex] = key;
          queue.push(vertex);
          waiting.add(vertex);
        }
      }
      while (waiting.size > 0) takeNearest();
      expect(queue.pop()).toBe(-1);
    }),
    { numRuns: 200 },
  );
});

test("thousands of far vertices, most of which come nearer, leave in order", () => {
  const count = 20_000;
  const distance = new Float64Array(count).fill(Infinity);
  const queue = new DistanceQueue(distance);
  for (const round of [3, 2, 1]) {
    for (let v = 0; v < count; v++) {
      const key = round * 1e4 + ((v * 7919) % 5003);
      if (key >= distance[v]!) continue;
      distance[v] = key;
      queue.push(v);
    }
  }
  const order = Array.from({ length: count }, (_, v) => v).sort((a, b) => distance[a]! - distance[b]! || a - b);
  expect(Array.from({ length: count }, () => queue.pop())).toEqual(order);
  expect(queue.pop()).toBe(-1);
});
