/**
 * The array interface all volume formats share.
 *
 * Everything is in x, y, z order. Voxel data is x fastest, then y, z, channel. Positions are absolute voxels of the
 * scale (they include the scale's `voxelOffset`). Resolutions are nanometres per voxel.
 * @module
 */

export type Xyz = readonly [number, number, number];

/** Half-open box of voxels. */
export interface Box {
  readonly begin: Xyz;
  readonly end: Xyz;
}

export type DataType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "uint64"
  | "int64"
  | "float32"
  | "float64";

export type VoxelArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** Labels as kernels take them: 32 or 64 bits, unsigned. */
export type LabelArray = Uint32Array | BigUint64Array;

export interface ReadBoxOptions {
  readonly signal?: AbortSignal;
}

export interface ReadIntoOptions<Data extends VoxelArray> extends ReadBoxOptions {
  /**
   * An array of the result's type and length that takes the voxels in place of a new one. Reading box after box into one
   * array is up to twice as fast: taking memory from the system costs as much as decoding. It is the read's until the promise
   * settles; after an error or abort its content is undefined.
   */
  readonly out?: Data;
}

/** One resolution level of a volume. */
export interface Scale {
  /** The format's own name of the level (precomputed: key; zarr: path). */
  readonly key: string;
  readonly dataType: DataType;
  readonly channels: number;
  /** Size in voxels. */
  readonly size: Xyz;
  readonly voxelOffset: Xyz;
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  /** Storage chunk in voxels; the grid starts at `chunkOrigin`. */
  readonly chunkSize: Xyz;
  readonly chunkOrigin: Xyz;
  /**
   * Voxels of one stored object, on a grid from `chunkOrigin`: the chunk, or the shard that holds several; all of the volume
   * where shards are no boxes. Writers that run in parallel should own whole ones, and write them whole.
   */
  readonly writeSize: Xyz;
  /** All voxels of a box inside the volume; a box that sticks out is a RangeError naming both. Absent chunks are fill. */
  read(box: Box, options?: ReadIntoOptions<VoxelArray>): Promise<VoxelArray>;
  /** Like `read`, for integer types: uint8..uint32 become Uint32Array, 64 bits BigUint64Array; a negative label is an error. */
  readLabels(box: Box, options?: ReadIntoOptions<LabelArray>): Promise<LabelArray>;
  /** Writes a box. Whole chunks are written without reading. Throws when the volume was opened read-only. */
  write(box: Box, data: VoxelArray, options?: ReadBoxOptions): Promise<void>;
}

export interface Volume {
  /** Pipeline URL it was opened from. */
  readonly url: string;
  readonly kind: "image" | "segmentation";
  /** Finest first. */
  readonly scales: readonly Scale[];
  close(): Promise<void>;
}
