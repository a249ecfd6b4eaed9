import { createHash } from "node:crypto";
import type { AnyReadOptions, ByteRange, Key, KeyRange, KvStore, ListOptions, WriteOptions } from "@pcg/kvstore";
import { allocateVoxels } from "../src/data-type.ts";
import type { ChunkArray, PrecomputedScale } from "../src/index.ts";

/** All voxels of a scale, x fastest, then y, z, channel; absent chunks are zeros. */
export async function readAll(scale: PrecomputedScale): Promise<ChunkArray> {
  const [sx, sy, sz] = scale.info.size;
  const all = allocateVoxels(scale.dataType, sx * sy * sz * scale.channels) as Uint8Array;
  await Promise.all(
    [...scale.grid.chunks()].map(async (position) => {
      const chunk = (await scale.readChunk(position)) as Uint8Array | undefined;
      if (chunk === undefined) return;
      const [cx, cy, cz] = scale.grid.chunkShape(position);
      const { begin } = scale.grid.chunkBox(position);
      const [x0, y0, z0] = begin.map((n, axis) => n - scale.info.voxel_offset[axis]!) as [number, number, number];
      let at = 0;
      for (let c = 0; c < scale.channels; c++) {
        for (let z = 0; z < cz; z++) {
          for (let y = 0; y < cy; y++, at += cx) {
            all.set(chunk.subarray(at, at + cx), x0 + sx * (y0 + y + sy * (z0 + z + sz * c)));
          }
        }
      }
    }),
  );
  return all;
}

/** sha256 of the stored form of voxels. */
export function digest(voxels: ChunkArray | Uint8Array): string {
  return createHash("sha256")
    .update(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength))
    .digest("hex");
}

/** A store that counts what it is asked, and can be made to wait. */
export function observed(store: KvStore): KvStore & { readonly log: string[]; gate: Promise<void> | undefined } {
  const log: string[] = [];
  const note = (op: string, key: Key, range?: ByteRange): void => {
    const name = typeof key === "string" ? key : new TextDecoder().decode(key);
    log.push(
      range !== undefined && "offset" in range ? `${op} ${name} ${range.offset}+${range.length}` : `${op} ${name}`,
    );
  };
  const wrapped = {
    ...store,
    capabilities: store.capabilities,
    url: store.url,
    log,
    gate: undefined as Promise<void> | undefined,
    read: (async (key: Key, options?: AnyReadOptions) => {
      note("read", key, options?.range);
      await wrapped.gate;
      options?.signal?.throwIfAborted();
      return store.read(key, options as AnyReadOptions);
    }) as KvStore["read"],
    write: async (key: Key, value: Uint8Array | null, options?: WriteOptions) => {
      note(value === null ? "delete" : "write", key);
      return store.write(key, value, options);
    },
    list: (options?: ListOptions) => store.list(options),
    deleteRange: (range: KeyRange) => store.deleteRange(range),
    close: () => store.close(),
  };
  return wrapped;
}
