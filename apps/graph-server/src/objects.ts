/**
 * The proofread segmentation as a volume: each chunk of the supervoxel volume with its ids replaced by their roots. Only
 * the lookup tables of a chunk are rewritten, its voxels stay packed.
 * @module
 */
import { createHash } from "node:crypto";
import type { GraphView } from "@pcg/chunkedgraph";
import { remapCompressedSegmentation } from "@pcg/kernels/compressed-segmentation";
import type { KvStore } from "@pcg/kvstore";
import type { Xyz } from "@pcg/volume";
import { ByteLru } from "./byte-lru.ts";
import type { SupervoxelVolume } from "./supervoxel-volume.ts";

export interface ObjectChunk {
  readonly bytes: Uint8Array;
  /** Names the content: the same whenever the chunk's supervoxels have the same roots. */
  readonly etag: string;
}

/** Ids of one chunk's supervoxels, in the order of its tables, and the chunk they were read from. */
interface ChunkIds {
  readonly tables: readonly BigUint64Array[];
  readonly generation: string;
}

/** Makes object chunks and keeps them, bounded in bytes, until other chunks need the room. */
export class ObjectChunks {
  private readonly ids: ByteLru<ChunkIds>;
  private readonly chunks: ByteLru<Uint8Array>;

  constructor(cacheBytes: number) {
    this.ids = new ByteLru(cacheBytes / 8, ({ tables }) => tables.reduce((sum, table) => sum + table.byteLength, 128));
    this.chunks = new ByteLru((cacheBytes / 8) * 7, (bytes) => bytes.byteLength + 128);
  }

  /**
   * The chunk at `path` as of the view's time; `undefined` when the volume has no such file.
   * @param options.knows the tag by which the client has a content already; then the answer is that tag
   */
  async read(
    store: KvStore,
    volume: SupervoxelVolume,
    path: string,
    shape: Xyz,
    view: GraphView,
    options: { readonly knows: (etag: string) => string | undefined; readonly signal: AbortSignal },
  ): Promise<ObjectChunk | { readonly unchanged: string } | undefined> {
    const { signal } = options;
    const file = `${store.url}|${path}`;
    let supervoxels: Uint8Array | undefined;
    let ids = this.ids.get(file);
    if (ids === undefined) {
      const stored = await store.read(path, { signal });
      if (stored === undefined) return undefined;
      supervoxels = stored.value;
      ids = { tables: tablesOf(supervoxels, shape, volume), generation: stored.generation };
      this.ids.set(file, ids);
    }
    const roots: BigUint64Array[] = [];
    for (const table of ids.tables) roots.push(await view.roots(table, { signal }));
    const etag = digest(ids.generation, roots);
    const known = options.knows(etag);
    if (known !== undefined) return { unchanged: known };

    const key = `${file}|${etag}`;
    let bytes = this.chunks.get(key);
    if (bytes === undefined) {
      supervoxels ??= (await store.read(path, { signal }))?.value;
      if (supervoxels === undefined) return undefined;
      bytes = remap(supervoxels, shape, volume, roots);
      this.chunks.set(key, bytes);
    }
    return { bytes, etag };
  }
}

function tablesOf(supervoxels: Uint8Array, shape: Xyz, volume: SupervoxelVolume): BigUint64Array[] {
  const tables: BigUint64Array[] = [];
  remapCompressedSegmentation(supervoxels, shape, 1, blockSize(volume), (table) => {
    tables.push(table.slice());
    return table;
  });
  return tables;
}

function remap(supervoxels: Uint8Array, shape: Xyz, volume: SupervoxelVolume, roots: BigUint64Array[]): Uint8Array {
  let next = 0;
  return remapCompressedSegmentation(supervoxels, shape, 1, blockSize(volume), () => roots[next++]!);
}

function blockSize({ scale }: SupervoxelVolume): Xyz {
  return scale.compressed_segmentation_block_size ?? [8, 8, 8];
}

function digest(generation: string, roots: readonly BigUint64Array[]): string {
  const hash = createHash("sha1").update(generation);
  for (const table of roots) hash.update(new Uint8Array(table.buffer, table.byteOffset, table.byteLength));
  return hash.digest("base64url");
}
