import type { KvStore } from "@pcg/kvstore";
import { readValue } from "@pcg/kvstore";
import { ChunkGrid, type PrecomputedInfo, parseInfo, type ScaleInfo } from "neuroglancer-precomputed";
import { HttpError } from "./http/errors.ts";

/** The volume of a table's supervoxels: one scale, one file per chunk. */
export interface SupervoxelVolume {
  readonly info: PrecomputedInfo;
  readonly scale: ScaleInfo;
  readonly grid: ChunkGrid;
}

const loaded = new WeakMap<KvStore, Promise<SupervoxelVolume>>();

/** Reads the volume's `info`, once per store. */
export function supervoxelVolume(store: KvStore): Promise<SupervoxelVolume> {
  const known = loaded.get(store);
  if (known !== undefined) return known;
  const volume = load(store);
  loaded.set(store, volume);
  volume.catch(() => loaded.delete(store));
  return volume;
}

async function load(store: KvStore): Promise<SupervoxelVolume> {
  const bytes = await readValue(store, "info");
  if (bytes === undefined) throw new Error(`there is no info in ${store.url}: not a supervoxel volume`);
  const info = parseInfo(bytes);
  const scale = info.scales[0]!;
  const chunkSize = scale.chunk_sizes[0]!;
  return { info, scale, grid: new ChunkGrid({ size: scale.size, chunkSize, voxelOffset: scale.voxel_offset }) };
}

/** The chunk a path below a volume names: `{scale key}/x0-x1_y0-y1_z0-z1`. @throws HttpError 404 */
export function chunkShapeAt({ scale, grid }: SupervoxelVolume, path: string): readonly [number, number, number] {
  const prefix = `${scale.key}/`;
  const position = path.startsWith(prefix) ? grid.parseChunkName(path.slice(prefix.length)) : undefined;
  if (position === undefined) throw new HttpError(404, `${JSON.stringify(path)} is no chunk of this volume`);
  return grid.chunkShape(position);
}
