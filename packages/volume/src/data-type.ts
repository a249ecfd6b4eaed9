/**
 * The table of voxel data types: their sizes, arrays and ranges.
 * @module
 */
import type { DataType, VoxelArray } from "./contract.ts";
import { VolumeError } from "./errors.ts";

type VoxelArrayConstructor = {
  new (length: number): VoxelArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): VoxelArray;
  readonly BYTES_PER_ELEMENT: number;
};

interface DataTypeFacts {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly array: VoxelArrayConstructor;
  /** Range of the integer types. */
  readonly range?: readonly [bigint, bigint];
}

const facts: Readonly<Record<DataType, DataTypeFacts>> = {
  uint8: { bytes: 1, array: Uint8Array, range: [0n, 0xffn] },
  int8: { bytes: 1, array: Int8Array, range: [-0x80n, 0x7fn] },
  uint16: { bytes: 2, array: Uint16Array, range: [0n, 0xffffn] },
  int16: { bytes: 2, array: Int16Array, range: [-0x8000n, 0x7fffn] },
  uint32: { bytes: 4, array: Uint32Array, range: [0n, 0xffff_ffffn] },
  int32: { bytes: 4, array: Int32Array, range: [-0x8000_0000n, 0x7fff_ffffn] },
  uint64: { bytes: 8, array: BigUint64Array, range: [0n, 0xffff_ffff_ffff_ffffn] },
  int64: { bytes: 8, array: BigInt64Array, range: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn] },
  float32: { bytes: 4, array: Float32Array },
  float64: { bytes: 8, array: Float64Array },
};

/** All data types, in the order of the table above. */
export const dataTypes: readonly DataType[] = Object.keys(facts) as DataType[];

export function isDataType(name: unknown): name is DataType {
  return typeof name === "string" && Object.hasOwn(facts, name);
}

/** Bytes of one voxel. */
export function bytesPerVoxel(dataType: DataType): 1 | 2 | 4 | 8 {
  return facts[dataType].bytes;
}

/** Lowest and highest value of an integer type; `undefined` for floats. */
export function integerRange(dataType: DataType): readonly [bigint, bigint] | undefined {
  return facts[dataType].range;
}

/** A zeroed array of `length` voxels. */
export function allocateVoxels(dataType: DataType, length: number): VoxelArray {
  return new facts[dataType].array(length);
}

/** Little-endian `bytes` as voxels: a view where the alignment allows it, else a copy. */
export function viewVoxels(dataType: DataType, bytes: Uint8Array): VoxelArray {
  const { array, bytes: size } = facts[dataType];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new array(aligned.buffer, aligned.byteOffset, bytes.byteLength / size);
}

/** The bytes of an array, without a copy. */
export function bytesOf(data: VoxelArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Throws `WRONG_DATA_TYPE` unless `data` is the array type that holds `dataType`. */
export function checkArrayType(data: VoxelArray, dataType: DataType, what: string): void {
  if (data instanceof facts[dataType].array) return;
  throw new VolumeError(
    "WRONG_DATA_TYPE",
    `${what} holds ${dataType}, which is written from a ${facts[dataType].array.name}, not from a ${data.constructor.name}`,
  );
}

/** Fills an array with one value, which must be a bigint exactly for the 64-bit integer types. */
export function fillVoxels(data: VoxelArray, value: number | bigint): void {
  (data as { fill(value: number | bigint): unknown }).fill(value);
}
