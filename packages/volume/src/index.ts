/**
 * One array interface over precomputed, zarr v2/v3 and OME-NGFF volumes: boxes of voxels in, boxes of voxels out.
 * @module
 */
export type { MemoryLimits } from "./array/limits.ts";
export { boxSize, boxVolume, formatBox } from "./box.ts";
export type * from "./contract.ts";
export { type CreateVolumeOptions, createVolume, createVolumeIn } from "./create-volume.ts";
export { allocateVoxels, bytesPerVoxel, dataTypes, isDataType } from "./data-type.ts";
export { isVolumeError, VolumeError, type VolumeErrorCode } from "./errors.ts";
export type { NewScale, NewVolume, PrecomputedStorage, ZarrStorage } from "./new-volume.ts";
export {
  type OpenStore,
  type OpenVolumeOptions,
  openVolume,
  openVolumeIn,
  type VolumeFormat,
  volumeFormats,
} from "./open-volume.ts";
export type { OpenFormatOptions } from "./options.ts";
export { type BoxVoxels, type StreamBoxesOptions, streamBoxes, streamLabels } from "./stream-boxes.ts";
