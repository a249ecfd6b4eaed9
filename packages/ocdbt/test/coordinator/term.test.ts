import { describe, expect, test } from "vitest";
import type { Batch, Outcome } from "../../src/coordinator/message.ts";
import { Term } from "../../src/coordinator/term.ts";

const receipt: Outcome = { receipt: { head: undefined, applied: [], generations: [] } };
const refusal: Outcome = { error: { code: "unavailable", message: "lost the lease" } };
const failure: Outcome = { error: { code: "failed", message: "disk on fire" } };

function newTerm(newest: bigint): Term {
  const record = { epoch: 1, holder: "me", address: null, durationMs: 1000, renewal: 0 };
  return new Term({ record, generation: "g" }, newest, async () => {});
}

const batch = (seq: bigint, since: bigint, client = "c"): Batch => ({ client, seq, since, requests: [] });

/** Sends a batch. @returns the times it was committed: whether it was to be looked for */
async function committed(term: Term, sent: Batch, outcome: Outcome = receipt): Promise<boolean[]> {
  const calls: boolean[] = [];
  await term.once(sent, async (sentBefore) => {
    calls.push(sentBefore);
    return [outcome];
  });
  return calls;
}

describe("a term of a coordinator", () => {
  test("looks for what was asked for up to the version it began at, and only for that", async () => {
    const term = newTerm(7n);
    expect(await committed(term, batch(0n, 6n, "a"))).toEqual([true]);
    expect(await committed(term, batch(0n, 7n, "b"))).toEqual([true]);
    expect(await committed(term, batch(0n, 8n, "c"))).toEqual([false]);
  });

  test("answers a batch that comes again as before, also while it is under way, and when it failed", async () => {
    const term = newTerm(0n);
    let finish!: (outcomes: Outcome[]) => void;
    const slow = new Promise<Outcome[]>((resolve) => {
      finish = resolve;
    });
    const first = term.once(batch(3n, 1n), () => slow);
    const second = term.once(batch(3n, 1n), () => Promise.reject(new Error("committed twice")));
    finish([receipt]);
    expect(await first).toEqual([receipt]);
    expect(await second).toEqual([receipt]);
    expect(await committed(term, batch(4n, 2n), failure)).toEqual([false]);
    expect(await committed(term, batch(4n, 2n), failure)).toEqual([]);
  });

  test("refuses a batch that comes after the next one", async () => {
    const term = newTerm(0n);
    await committed(term, batch(4n, 2n));
    await expect(committed(term, batch(3n, 2n))).rejects.toMatchObject({ code: "unavailable" });
  });

  test("tries a refused batch again, and looks for what may have been done beside it", async () => {
    const term = newTerm(0n);
    expect(await committed(term, batch(4n, 9n), refusal)).toEqual([false]);
    expect(await committed(term, batch(4n, 9n))).toEqual([true]);
  });

  test("forgets clients that it cannot keep, and from then on looks for what they asked", async () => {
    const term = newTerm(0n);
    for (let i = 0; i <= 10_000; i++) await committed(term, batch(5n, 9n, `client ${i}`));
    expect(await committed(term, batch(5n, 9n, "client 10000"))).toEqual([]);
    expect(await committed(term, batch(5n, 9n, "client 0"))).toEqual([true]);
    expect(await committed(term, batch(6n, 10n, "client 0"))).toEqual([false]);
  });
});
