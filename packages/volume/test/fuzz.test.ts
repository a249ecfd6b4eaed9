import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createVolumeIn, isVolumeError, type NewVolume, openVolumeIn, type VolumeFormat } from "../src/index.ts";

const base: NewVolume = {
  kind: "segmentation",
  dataType: "uint64",
  scales: [{ size: [11, 9, 7], voxelOffset: [3, 4, 5], resolution: [8, 8, 40], chunkSize: [4, 4, 4] }],
};
const whole = { begin: [3, 4, 5], end: [14, 13, 12] } as const;

const layouts: readonly (readonly [string, VolumeFormat, Partial<NewVolume>])[] = [
  ["zarr v2 zstd", "zarr2", {}],
  ["zarr v2 blosc", "zarr2", { zarr: { compressor: "blosc" } }],
  ["zarr v2 gzip", "zarr2", { zarr: { compressor: "gzip" } }],
  ["zarr v3 raw", "zarr3", { zarr: { compressor: "none" } }],
  ["zarr v3 sharded", "zarr3", { zarr: { shardSize: [8, 8, 8] } }],
  ["precomputed", "neuroglancer-precomputed", {}],
];

type Damage =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "grow"; readonly bytes: Uint8Array }
  | { readonly kind: "word"; readonly at: number; readonly value: number };

/** What a bad disk or a bad person does to bytes. */
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    kind: fc.constant("flip" as const),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    bit: fc.nat(7),
  }),
  fc.record({ kind: fc.constant("cut" as const), at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) }),
  fc.record({ kind: fc.constant("grow" as const), bytes: fc.uint8Array({ maxLength: 64 }) }),
  fc.record({
    kind: fc.constant("word" as const),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    value: fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  }),
);

function apply(bytes: Uint8Array, change: Damage): Uint8Array {
  if (change.kind === "grow") return Uint8Array.from([...bytes, ...change.bytes]);
  const at = Math.floor(change.at * bytes.length);
  if (change.kind === "cut") return bytes.slice(0, at);
  const out = bytes.slice();
  if (out.length < 4) return out;
  if (change.kind === "flip") out[at]! ^= 1 << change.bit;
  else new DataView(out.buffer).setUint32(Math.max(0, Math.min(at, out.length - 4)), change.value, true);
  return out;
}

/** Reads everything; only our own errors may come out, and what opens tells its true size. */
async function readAll(store: KvStore): Promise<void> {
  try {
    const volume = await openVolumeIn(store, undefined, { limits: { maxBoxBytes: 2 ** 20, maxChunkBytes: 2 ** 20 } });
    for (const scale of volume.scales) {
      const { voxelOffset: begin, size } = scale;
      const end = [begin[0] + size[0], begin[1] + size[1], begin[2] + size[2]] as const;
      const data = await scale.read({ begin, end });
      expect(data.length).toBe(size[0] * size[1] * size[2] * scale.channels);
    }
  } catch (error) {
    if (!isVolumeError(error)) throw error;
  }
}

describe.each(layouts)("%s", (_name, format, options) => {
  async function original(): Promise<Map<string, Uint8Array>> {
    const store = memoryKvStore();
    const volume = await createVolumeIn(store, format, { ...base, ...options });
    await volume.scales[0]!.write(
      whole,
      BigUint64Array.from({ length: 693 }, (_, i) => BigInt(i >> 3)),
    );
    const objects = new Map<string, Uint8Array>();
    for await (const { key } of store.list()) {
      const name = new TextDecoder().decode(key);
      objects.set(name, (await store.read(name))!.value);
    }
    return objects;
  }

  test("damaged chunks, shards and metadata are refused by a VolumeError or read as something, in little time", async () => {
    const objects = await original();
    const names = [...objects.keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...names),
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        async (name, changes) => {
          const store = memoryKvStore();
          for (const [key, bytes] of objects) await store.write(key, bytes);
          await store.write(name, changes.reduce(apply, objects.get(name)!));
          await readAll(store);
        },
      ),
      { numRuns: 120, interruptAfterTimeLimit: 4000 },
    );
  });

  test("metadata with any member replaced by any value is refused by a VolumeError or opens", async () => {
    const objects = await original();
    const documents = [...objects].filter(([key]) => /json$|\.z|info$/.test(key));
    const json = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(null, -1, 2 ** 53, 1e308, "", [], {}, [[]], "uint64", 2 ** 31),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...documents), fc.nat(), json, async ([key, bytes], place, value) => {
        const document = JSON.parse(new TextDecoder().decode(bytes)) as object;
        const members = placesIn(document);
        const [parent, member] = members[place % members.length]!;
        parent[member] = value;
        const store = memoryKvStore();
        for (const [name, content] of objects) await store.write(name, content);
        await store.write(key, new TextEncoder().encode(JSON.stringify(document)));
        await readAll(store);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 4000 },
    );
  });
});

/** Every member of every object and array inside a document. */
function placesIn(value: object): [Record<string, unknown>, string][] {
  return Object.entries(value).flatMap(([member, inner]): [Record<string, unknown>, string][] => [
    [value as Record<string, unknown>, member],
    ...(typeof inner === "object" && inner !== null ? placesIn(inner as object) : []),
  ]);
}
