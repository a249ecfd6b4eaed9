import type { KvStore } from "@pcg/kvstore";
import type { RowStore } from "@pcg/rowstore";
import { Random } from "@pcg/testkit";
import type { Volume } from "@pcg/volume";
import { beforeAll, expect, test } from "vitest";
import { dumpRows, dumpStore, fixedTimeRows, Place, volumeOf } from "./harness.ts";

const size = [22, 17, 11] as const;
const choices = { chunkSize: [8, 8, 8], connectivity: 6 } as const;
let source: Volume;
let wanted: { readonly rows: string; readonly supervoxels: string };

beforeAll(async () => {
  const random = new Random(3);
  const data = new Uint32Array(22 * 17 * 11).map((_, i) =>
    (i >> 2) % 7 === 0 ? random.below(4) : ((i % 22) >> 2) % 3,
  );
  source = await volumeOf(data, "uint32", size);
  const place = new Place();
  await place.ingest(source, choices);
  wanted = await dumpAll(place);
});

async function dumpAll(place: Place): Promise<{ readonly rows: string; readonly supervoxels: string }> {
  return { rows: await dumpRows(place.rows), supervoxels: await dumpStore(place.supervoxels) };
}

class Crash extends Error {}

/** Counts down on every write of any store; the last one fails, before or after it took effect. */
class Countdown {
  left = Number.POSITIVE_INFINITY;
  takesEffect = false;
  writes = 0;

  async write<T>(run: () => Promise<T>): Promise<T> {
    this.writes++;
    if (this.left <= 0) throw new Crash();
    if (--this.left > 0) return run();
    if (this.takesEffect) await run();
    throw new Crash();
  }

  rows(store: RowStore): RowStore {
    return {
      caps: store.caps,
      now: () => store.now(),
      read: (...args) => store.read(...args),
      mutate: (rows) => this.write(() => store.mutate(rows)),
      checkAndMutate: (...args) => this.write(() => store.checkAndMutate(...args)),
      increment: (...args) => this.write(() => store.increment(...args)),
      transact: (...args) => this.write(() => store.transact(...args)),
      gc: (rules) => store.gc(rules),
      close: () => store.close(),
    };
  }

  /** Makes the store's writes count, wherever it is used. */
  tap(store: KvStore): void {
    const { write, deleteRange } = store;
    store.write = (...args) => this.write(() => write.apply(store, args));
    store.deleteRange = (...args) => this.write(() => deleteRange.apply(store, args));
  }
}

function crashingPlace(): { readonly place: Place; readonly countdown: Countdown } {
  const countdown = new Countdown();
  const place = new Place(countdown.rows(fixedTimeRows()));
  countdown.tap(place.supervoxels);
  countdown.tap(place.scratch);
  return { place, countdown };
}

async function ingestUntilCrash(place: Place): Promise<boolean> {
  try {
    await place.ingest(source, { ...choices, resume: true });
    return true;
  } catch (error) {
    if (error instanceof Crash || (error as Error).message === "") return false;
    throw error;
  }
}

for (const takesEffect of [false, true]) {
  test(`an ingest stopped at any write (${takesEffect ? "after" : "before"} it took effect) is resumed to the same rows`, async () => {
    const { place, countdown } = crashingPlace();
    await place.ingest(source, choices);
    const { writes } = countdown;
    expect(writes).toBeGreaterThan(100);
    for (let at = takesEffect ? 1 : 3; at <= writes; at += 4) {
      const crashed = crashingPlace();
      crashed.countdown.left = at;
      crashed.countdown.takesEffect = takesEffect;
      expect(await ingestUntilCrash(crashed.place)).toBe(false);
      crashed.countdown.left = Number.POSITIVE_INFINITY;
      await crashed.place.ingest(source, { ...choices, resume: true });
      expect(await dumpAll(crashed.place)).toEqual(wanted);
    }
  });
}

test("an ingest that is stopped again and again gets there", async () => {
  const { place, countdown } = crashingPlace();
  const random = new Random(8);
  let stops = 0;
  for (; ; stops++) {
    countdown.left = random.between(12, 30);
    countdown.takesEffect = random.below(2) === 0;
    if (await ingestUntilCrash(place)) break;
  }
  expect(stops).toBeGreaterThan(5);
  countdown.left = Number.POSITIVE_INFINITY;
  expect(await dumpAll(place)).toEqual(wanted);
});

test("an aborted ingest stops with the signal's reason and is resumed to the same rows", async () => {
  for (const step of ["supervoxels", "faces", "level 2", "layer 3", "layer 4"]) {
    const place = new Place();
    const stop = new AbortController();
    const reason = new Error("enough");
    const onProgress = (progress: { step: string; done: number }): void => {
      if (progress.step === step && progress.done > 0) stop.abort(reason);
    };
    await expect(place.ingest(source, { ...choices, onProgress, signal: stop.signal })).rejects.toBe(reason);
    await place.ingest(source, { ...choices, resume: true });
    expect(await dumpAll(place)).toEqual(wanted);
  }
});

test("two ingests of the same at the same time do no harm", async () => {
  const place = new Place();
  const reports = await Promise.all([
    place.ingest(source, { ...choices, resume: true }),
    place.ingest(source, { ...choices, resume: true }),
  ]);
  expect(reports[0]!.supervoxels).toBe(reports[1]!.supervoxels);
  expect(await dumpAll(place)).toEqual(wanted);
});

test("an unfinished ingest is refused unless it is to be resumed", async () => {
  const { place, countdown } = crashingPlace();
  countdown.left = 20;
  expect(await ingestUntilCrash(place)).toBe(false);
  countdown.left = Number.POSITIVE_INFINITY;
  await expect(place.ingest(source, choices)).rejects.toMatchObject({ code: "already-ingested" });
});

test("a complete ingest is left alone and reports what it holds", async () => {
  const place = new Place();
  const first = await place.ingest(source, choices);
  const again = await place.ingest(source);
  expect(again).toMatchObject({ ...first, outcome: "nothing to do", seconds: expect.any(Number), voxelsPerSecond: 0 });
  expect(await dumpAll(place)).toEqual(wanted);
});

test("another source, scale geometry or setting is refused with both values, and nothing is written", async () => {
  const place = new Place();
  await place.ingest(source, choices);
  const other = await volumeOf(new Uint32Array(4 * 4 * 4), "uint32", [4, 4, 4]);
  await expect(place.ingest(other)).rejects.toMatchObject({ code: "already-ingested", fields: { what: "source" } });
  for (const change of [
    { name: "else" },
    { chunkSize: [8, 8, 4] as const },
    { connectivity: 26 as const },
    { splitDisconnected: true },
  ]) {
    await expect(place.ingest(source, { ...choices, ...change })).rejects.toMatchObject({ code: "already-ingested" });
  }
  expect(await dumpAll(place)).toEqual(wanted);
});
