import { ByteBudget, type Release } from "@pcg/tasks";
import { Random } from "@pcg/testkit";
import { expect, test } from "vitest";

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("grants what fits at once and gives it back once", async () => {
  const budget = new ByteBudget(10);
  const release = await budget.take(7);
  expect(budget.free).toBe(3);
  release();
  release();
  expect(budget.free).toBe(10);
});

test("a large request is not overtaken by small ones behind it", async () => {
  const budget = new ByteBudget(10);
  const order: string[] = [];
  const first = await budget.take(5);
  const large = budget.take(9).then((release) => order.push("large") && release);
  const small = budget.take(1).then((release) => order.push("small") && release);
  await settle();
  expect(order).toEqual([]);
  expect(budget.waiting).toBe(2);
  first();
  ((await large) as Release)();
  await small;
  expect(order).toEqual(["large", "small"]);
});

test("who leaves the line lets those behind pass", async () => {
  const budget = new ByteBudget(10);
  await budget.take(5);
  const controller = new AbortController();
  const large = budget.take(9, controller.signal);
  const small = budget.take(1);
  controller.abort("gone");
  await expect(large).rejects.toBe("gone");
  await small;
  expect(budget.free).toBe(4);
});

test("refuses what it can never grant, with both numbers", async () => {
  const budget = new ByteBudget(10);
  await expect(budget.take(11)).rejects.toThrow("11 bytes are more than the whole budget of 10 bytes");
  await expect(budget.take(-1)).rejects.toThrow(RangeError);
  await expect(budget.take(Number.NaN)).rejects.toThrow(RangeError);
  expect(() => new ByteBudget(Number.NaN)).toThrow(RangeError);
});

test("holders never have more than the limit, everyone is served in order, and all comes back", async () => {
  const random = new Random(11);
  const budget = new ByteBudget(100);
  let held = 0;
  const served: number[] = [];
  const expected: number[] = [];
  await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const bytes = random.between(0, 100);
      const controller = new AbortController();
      const leaves = random.below(10) === 0;
      if (!leaves) expected.push(i);
      const taking = budget.take(bytes, controller.signal);
      if (leaves) {
        controller.abort();
        await taking.then((release) => release()).catch(() => undefined);
        return;
      }
      const release = await taking;
      served.push(i);
      held += bytes;
      expect(held).toBeLessThanOrEqual(100);
      for (let n = random.below(4); n > 0; n--) await settle();
      held -= bytes;
      release();
    }),
  );
  expect(served).toEqual(expected);
  expect(budget.free).toBe(100);
  expect(budget.waiting).toBe(0);
});
