/**
 * The volume that is shown when none is given: made once, then reused.
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { fileKvStore } from "@pcg/kvstore/file";
import type { OnProgress } from "@pcg/tasks";
import { defaultTissue, growTissue, type TissueOptions, writeTissue } from "@pcg/tutorial-volume";
import { openVolumeIn, type Volume } from "@pcg/volume";
import { encodeInfo } from "neuroglancer-precomputed";

export interface TutorialVolume {
  /** Folders of precomputed volumes. */
  readonly segmentation: string;
  readonly image: string;
  /** JSON file with the planted mistakes. */
  readonly groundTruth: string;
}

const LABELS = { type: "segmentation", data_type: "uint64", encoding: "compressed_segmentation" } as const;
const IMAGE = { type: "image", data_type: "uint8", encoding: "jpeg" } as const;

/** The tutorial volume's segmentation as it will be, without a voxel: to see what can be made of it before it is. */
export async function outlineTutorialVolume(): Promise<Volume> {
  return await createVolume(memoryKvStore(), defaultTissue, LABELS);
}

/**
 * Makes the tutorial volume in `folder` unless it is there. It is written beside and moved into place whole, so a folder that
 * exists is complete, whoever made it.
 */
export async function ensureTutorialVolume(
  folder: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<TutorialVolume> {
  if (!existsSync(folder)) {
    await mkdir(dirname(folder), { recursive: true });
    const draft = await mkdtemp(`${folder}.making-`);
    try {
      await makeTutorialVolume(draft, options);
      await moveIntoPlace(draft, folder);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  return placesIn(folder);
}

const placesIn = (folder: string): TutorialVolume => ({
  segmentation: join(folder, "segmentation"),
  image: join(folder, "image"),
  groundTruth: join(folder, "ground-truth.json"),
});

async function makeTutorialVolume(
  folder: string,
  options: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress },
): Promise<void> {
  const tissue = growTissue(defaultTissue);
  const places = placesIn(folder);
  // Made again at once if it is lost: syncing each file to disk would only cost time.
  const create = (place: string, format: typeof LABELS | typeof IMAGE): Promise<Volume> =>
    createVolume(fileKvStore(place, { fsync: false }), tissue.options, format);
  const labels = await create(places.segmentation, LABELS);
  const image = await create(places.image, IMAGE);
  await writeTissue(tissue, labels.scales[0]!, image.scales[0]!, options);
  const { seed, size, voxelOffset, resolution } = tissue.options;
  const truth = { seed, size, voxelOffset, resolution, errors: tissue.errors };
  await writeFile(places.groundTruth, `${JSON.stringify(truth, null, 1)}\n`);
}

async function createVolume(
  store: KvStore,
  { size, resolution, voxelOffset }: TissueOptions,
  { encoding, ...kind }: typeof LABELS | typeof IMAGE,
): Promise<Volume> {
  const scale = {
    key: resolution.join("_"),
    size,
    resolution,
    voxel_offset: voxelOffset,
    chunk_sizes: [[64, 64, 64]] as const,
    encoding,
    ...(encoding === "jpeg" ? { jpeg_quality: 88 } : { compressed_segmentation_block_size: [8, 8, 8] as const }),
  };
  const info = { "@type": "neuroglancer_multiscale_volume" as const, ...kind, num_channels: 1, scales: [scale] };
  await store.write("info", encodeInfo(info));
  return await openVolumeIn(store, "neuroglancer-precomputed", { writable: true });
}

async function moveIntoPlace(draft: string, folder: string): Promise<void> {
  try {
    await rename(draft, folder);
  } catch (error) {
    // Another process was faster; its volume is the same.
    if (!existsSync(folder)) throw error;
  }
}
