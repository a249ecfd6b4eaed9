import { type KvStore, withFaults } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import type { VolumeFormat } from "@pcg/volume";
import { beforeAll, describe, expect, test } from "vitest";
import type { ExportOptions } from "../../src/export.ts";
import { dumpStore } from "../ingest/harness.ts";
import { differences, World } from "./world.ts";

const targets: readonly (readonly [string, Partial<ExportOptions> & { readonly format: VolumeFormat }])[] = [
  ["precomputed", { format: "neuroglancer-precomputed" }],
  [
    "precomputed shards",
    {
      format: "neuroglancer-precomputed",
      chunkSize: [8, 8, 8],
      precomputed: {
        sharding: {
          "@type": "neuroglancer_uint64_sharded_v1",
          hash: "identity",
          preshift_bits: 2,
          minishard_bits: 1,
          shard_bits: 9,
          minishard_index_encoding: "raw",
          data_encoding: "gzip",
        },
      },
    },
  ],
  ["zarr shards", { format: "zarr3", chunkSize: [8, 8, 8], zarr: { shardSize: [16, 16, 16] } }],
];

/** A target whose writes are counted; one of them may fail. */
function watched(store: KvStore, failing?: number): { readonly store: KvStore; writes(): number } {
  let writes = 0;
  const error = new Error("the disk is gone");
  const counted = withFaults(store, ({ kind }) =>
    kind === "write" && writes++ === failing ? { kind: "fail", error } : undefined,
  );
  return { store: counted, writes: () => writes };
}

describe.each(targets)("an export to %s", (name, options) => {
  let world: World;
  let expected: BigUint64Array;
  let [keys, writes] = ["", 0];

  beforeAll(async () => {
    world = await World.make({ size: [50, 45, 40], voxelOffset: [3, 4, -5], chunkSize: [16, 16, 16] });
    expected = world.objects();
    const target = watched(await world.store(`${name}/whole`));
    await world.export(`${name}/whole`, { ...options, target: target.store, runner: world.runner([target.store]) });
    keys = await dumpStore(await world.store(`${name}/whole`));
    writes = target.writes();
    // From here on, every resumed export has to keep the time of its first run.
    await world.merge();
  });

  test("that fails at any write goes on to the same bytes, and says nothing of it was complete before", async () => {
    const random = new Random(8);
    const randomly = Array.from({ length: 6 }, () => random.below(writes));
    for (const at of new Set([0, 1, 2, 3, writes - 1, ...randomly])) {
      const place = `${name}/failed-${at}`;
      const store = await world.store(place);
      const broken = watched(store, at).store;
      const past = { ...options, time: world.graph.settings.ingestTime };
      const failing = world.export(place, { ...past, target: broken, runner: world.runner([broken]) });
      await expect(failing).rejects.toThrow("the disk is gone");
      expect(await dumpStore(store)).not.toBe(keys);
      const record = await store.read("export.json");
      if (record !== undefined) {
        expect(new TextDecoder().decode(record.value)).toContain('"running"');
        await expect(world.export(place, past)).rejects.toThrow(/not finished; resume it/);
      }
      const report = await world.export(place, record === undefined ? past : { ...options, resume: true });
      expect(report.outcome).toBe(record === undefined ? "new" : "resumed");
      expect(report.time).toBe(world.graph.settings.ingestTime);
      expect(await dumpStore(store)).toBe(keys);
      expect(differences(await world.read(place), expected)).toBe(0);
    }
  });

  test("that is stopped goes on where it was, and a complete one has nothing to do", async () => {
    const place = `${name}/stopped`;
    const time = world.graph.settings.ingestTime;
    const stop = new AbortController();
    const reason = new Error("enough");
    const progress: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      progress.push(done);
      if (done >= total / 2) stop.abort(reason);
    };
    const stopped = world.export(place, { ...options, time, onProgress, signal: stop.signal });
    await expect(stopped).rejects.toBe(reason);
    const half = progress.at(-1)!;
    expect(half).toBeGreaterThan(0);

    const again: number[] = [];
    const target = watched(await world.store(place));
    const runner = world.runner([target.store]);
    const resumed = await world.export(place, {
      ...options,
      target: target.store,
      runner,
      resume: true,
      onProgress: ({ done }) => void again.push(done),
    });
    expect(resumed.outcome).toBe("resumed");
    expect(resumed).not.toHaveProperty("objects");
    expect(again[0]).toBe(half);
    expect(target.writes()).toBeLessThan(writes * 0.7);
    expect(await dumpStore(await world.store(place))).toBe(keys);

    for (const resume of [false, true]) {
      const report = await world.export(place, { ...options, time, resume });
      expect(report).toMatchObject({ outcome: "nothing to do", time, voxelsPerSecond: 0 });
    }
    expect(await dumpStore(await world.store(place))).toBe(keys);
  });
});
