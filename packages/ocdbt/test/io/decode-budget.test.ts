import { describe, expect, test } from "vitest";
import { type BtreeLeaf, LeafBuilder } from "../../src/format/index.ts";
import { DecodeBudget } from "../../src/io/decode-budget.ts";
import { nodeBytes } from "../../src/io/node-bytes.ts";
import { Semaphore } from "../../src/io/semaphore.ts";

function leafOf(inlineBytes: number): BtreeLeaf {
  const builder = new LeafBuilder();
  builder.add(new Uint8Array(1), new Uint8Array(inlineBytes));
  const leaf = builder.finish();
  return { ...leaf, inline: leaf.inline.slice() };
}

/** A promise, and the function that fulfils it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Some turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("what is decoded", () => {
  test("in one turn of the event loop stays within the budget, but for the node that passes it", async () => {
    const node = leafOf(100_000);
    const budget = new DecodeBudget(2.5 * nodeBytes(node));
    let turn = 0;
    const perTurn: number[] = [];
    let next = setImmediate(function count() {
      turn++;
      next = setImmediate(count);
    });
    const loads = Array.from({ length: 20 }, async () => {
      await budget.load(
        10,
        async () => new Uint8Array(10),
        async () => node,
      );
      perTurn[turn] = (perTurn[turn] ?? 0) + 1;
    });
    await Promise.all(loads);
    clearImmediate(next);
    expect(perTurn.reduce((sum, n) => sum + (n ?? 0), 0)).toBe(20);
    expect(Math.max(...perTurn.filter((n) => n !== undefined))).toBeLessThanOrEqual(3);
  });

  test("fails for itself alone", async () => {
    const budget = new DecodeBudget(1000);
    const read = async (): Promise<Uint8Array> => new Uint8Array(1);
    const bad = budget.load(1, read, () => Promise.reject(new Error("damaged")));
    const good = budget.load(1, read, async () => leafOf(10));
    await expect(bad).rejects.toThrow("damaged");
    expect((await good).height).toBe(0);
  });
});

describe("stored bytes under way", () => {
  test("stay within the budget; what is larger goes alone, in its turn", async () => {
    const budget = new DecodeBudget(100);
    let underWay = 0;
    const seen: number[] = [];
    const gates = Array.from({ length: 4 }, gate);
    const loads = [60, 40, 500, 10].map((bytes, i) =>
      budget.load(
        bytes,
        async () => {
          underWay += bytes;
          seen.push(underWay);
          await gates[i]!.opened;
          underWay -= bytes;
          return new Uint8Array(1);
        },
        async () => leafOf(1),
      ),
    );
    await settle();
    expect(seen).toEqual([60, 100]);
    gates[0]!.open();
    await settle();
    expect(seen).toEqual([60, 100]);
    gates[1]!.open();
    await settle();
    expect(seen).toEqual([60, 100, 500]);
    gates[2]!.open();
    await settle();
    gates[3]!.open();
    await Promise.all(loads);
    expect(seen).toEqual([60, 100, 500, 10]);
  });
});

test("a semaphore lets tasks of any weight through in order, and is empty again after failures", async () => {
  const semaphore = new Semaphore(10);
  const order: number[] = [];
  const tasks = [7, 7, 30, 1].map((weight) =>
    semaphore
      .run(async () => {
        order.push(weight);
        await settle();
        if (weight === 30) throw new Error("failed");
      }, weight)
      .catch(() => {}),
  );
  await Promise.all(tasks);
  expect(order).toEqual([7, 7, 30, 1]);
  await Promise.all([5, 5].map((weight) => semaphore.run(settle, weight)));
});
