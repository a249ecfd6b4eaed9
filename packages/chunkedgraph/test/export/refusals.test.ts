import { inlineRunner } from "@pcg/tasks";
import { createVolumeIn } from "@pcg/volume";
import { openPrecomputed } from "neuroglancer-precomputed";
import { beforeAll, expect, test } from "vitest";
import { EXPORT_TASK } from "../../src/export/export-task.ts";
import { dumpStore } from "../ingest/harness.ts";
import { World } from "./world.ts";

let world: World;

beforeAll(async () => {
  world = await World.make({ size: [40, 33, 20], voxelOffset: [0, 7, 0], chunkSize: [16, 16, 16] });
});

test("other volumes and other exports stay as they are", async () => {
  const { settings } = world.graph;
  const scales = [{ size: settings.size, voxelOffset: settings.voxelOffset, resolution: settings.resolution }];
  const spec = { kind: "segmentation", dataType: "uint64", scales } as const;
  for (const format of ["neuroglancer-precomputed", "zarr2", "zarr3"] as const) {
    const store = await world.store(`other-${format}`);
    await createVolumeIn(store, format, spec);
    const before = await dumpStore(store);
    for (const resume of [false, true])
      await expect(world.export(`other-${format}`, { resume })).rejects.toMatchObject({
        code: "ALREADY_EXISTS",
        message: expect.stringMatching(/a volume that no export made; choose another place/),
      });
    expect(await dumpStore(store)).toBe(before);
  }

  await world.export("done");
  const before = await dumpStore(await world.store("done"));
  const refused = (options: Parameters<World["export"]>[1], message: RegExp): Promise<void> =>
    expect(world.export("done", options)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
      message: expect.stringMatching(message),
    });
  await refused({ format: "zarr3" }, /format neuroglancer-precomputed/);
  await refused({ chunkSize: [8, 8, 8] }, /describes another volume/);
  const twin = await World.make({ size: [40, 33, 20], voxelOffset: [0, 7, 0], chunkSize: [16, 16, 16] });
  await refused({ graph: twin.graph, resume: true }, /which is not this graph/);
  await world.merge();
  await refused({}, /at 20\d\d-.*Z, not at 20\d\d-.*Z; choose another place/);
  await refused({ resume: true, time: await world.graph.settledTime() }, /not at/);
  expect(await dumpStore(await world.store("done"))).toBe(before);
});

test("a volume that cannot be made, or a time before the graph, leaves nothing behind", async () => {
  const wrong = [
    [{ chunkSize: [0, 1, 1] }, /chunkSize is \[0,1,1\]/],
    [{ precomputed: { encoding: "jpeg" } }, /jpeg/],
    [{ format: "zarr2", zarr: { shardSize: [64, 64, 64] } }, /zarr v2 has no shards/],
    [{ time: world.graph.settings.ingestTime - 1n }, /before the graph began/],
  ] as const;
  for (const [options, message] of wrong) {
    await expect(world.export("wrong", options)).rejects.toThrow(message);
    expect(await dumpStore(await world.store("wrong"))).toBe("");
  }
});

test("a supervoxel that the graph has not is named, never written as 0", async () => {
  const store = world.place.supervoxels;
  const { scales } = await openPrecomputed(store);
  const key = scales[0]!.chunkKey([1, 1, 0]);
  const original = (await store.read(key))!.value;
  const voxels = (await scales[0]!.readChunk([1, 1, 0])) as BigUint64Array;
  const stranger = voxels.toSorted().at(-1)! + 1n;
  const exported = (name: string): Promise<unknown> => world.export(name);
  try {
    await scales[0]!.writeChunk(
      [1, 1, 0],
      voxels.map((id, i) => (i === 77 ? stranger : id)),
    );
    await expect(exported("stranger")).rejects.toMatchObject({
      code: "wrong-voxels",
      message: expect.stringMatching(`chunk 16-32_23-39_0-16 .* holds supervoxel ${stranger}, which the graph has not`),
    });
    await store.write(key, null);
    await expect(exported("missing")).rejects.toMatchObject({
      code: "wrong-voxels",
      message: expect.stringMatching(/chunk 16-32_23-39_0-16 .* is missing/),
    });
    await store.write(key, original.subarray(0, original.length - 40));
    await expect(exported("short")).rejects.toMatchObject({
      code: "wrong-voxels",
      message: expect.stringMatching(/chunk 16-32_23-39_0-16 .* cannot be decoded/),
    });
  } finally {
    await store.write(key, original);
  }
  for (const name of ["stranger", "missing", "short"])
    expect(await dumpStore(await world.store(name))).not.toContain("16-32_23-39_0-16");
});

test("the supervoxels of another graph are refused before anything is written", async () => {
  const other = await World.make({ size: [40, 33, 21], voxelOffset: [0, 7, 0], chunkSize: [16, 16, 16] });
  await expect(world.export("mixed", { supervoxels: other.place.supervoxels })).rejects.toMatchObject({
    code: "wrong-voxels",
    message: expect.stringMatching(/40×33×21 voxels .* are 40×33×20 voxels/),
  });
  expect(await dumpStore(await world.store("mixed"))).toBe("");
});

test("edits made while an export runs do not show in it", async () => {
  const before = world.objects();
  const tasks = world.runner();
  const runner = inlineRunner({
    [EXPORT_TASK]: async (task: unknown, { signal }: { readonly signal: AbortSignal }) => {
      if (merges++ < 3) await world.merge();
      await tasks.run(EXPORT_TASK, task, { signal });
    },
  });
  let merges = 0;
  await world.export("during", { runner });
  expect(merges).toBeGreaterThan(3);
  expect(await world.read("during")).toEqual(before);
});
