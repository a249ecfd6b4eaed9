/**
 * The voxel types of the format and their typed arrays. Stored integers and floats are little-endian, as are all
 * machines JavaScript runs on in practice, so typed arrays are views of the stored bytes.
 * @module
 */

export type DataType = "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "uint64" | "float32";

/** Voxels of one chunk, x fastest, then y, z, channel. */
export type ChunkArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | Float32Array;

interface ArrayType {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (length: number): ChunkArray;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ChunkArray;
}

const ARRAY_TYPES: Record<DataType, ArrayType> = {
  uint8: Uint8Array as ArrayType,
  int8: Int8Array as ArrayType,
  uint16: Uint16Array as ArrayType,
  int16: Int16Array as ArrayType,
  uint32: Uint32Array as ArrayType,
  int32: Int32Array as ArrayType,
  uint64: BigUint64Array as ArrayType,
  float32: Float32Array as ArrayType,
};

/** All data types, as `info` spells them. */
export const DATA_TYPES: readonly DataType[] = Object.keys(ARRAY_TYPES) as DataType[];

export function bytesPerVoxel(dataType: DataType): number {
  return ARRAY_TYPES[dataType].BYTES_PER_ELEMENT;
}

/** A zeroed array of `length` voxels. */
export function allocateVoxels(dataType: DataType, length: number): ChunkArray {
  return new ARRAY_TYPES[dataType](length);
}

/** The voxels in a private copy of `bytes`, whose length must be a multiple of the voxel's. */
export function voxelsFromBytes(dataType: DataType, bytes: Uint8Array): ChunkArray {
  const type = ARRAY_TYPES[dataType];
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return new type(copy.buffer, 0, bytes.length / type.BYTES_PER_ELEMENT);
}

/** The voxels in `bytes`: a view where they are aligned, else a copy. */
export function viewVoxels(dataType: DataType, bytes: Uint8Array): ChunkArray {
  const type = ARRAY_TYPES[dataType];
  if (bytes.byteOffset % type.BYTES_PER_ELEMENT !== 0) return voxelsFromBytes(dataType, bytes);
  return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / type.BYTES_PER_ELEMENT);
}

/** The stored bytes of `data`: a view, not a copy. */
export function bytesOfVoxels(data: ChunkArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Throws unless `data` is the array type of `dataType` and has `length` elements. */
export function checkVoxels(dataType: DataType, length: number, data: ChunkArray): void {
  const type = ARRAY_TYPES[dataType];
  if (data.constructor.name !== type.name) {
    throw new TypeError(`${dataType} voxels are a ${type.name}, not a ${data.constructor.name}`);
  }
  if (data.length !== length) {
    throw new RangeError(`${data.length} voxels given where the chunk has ${length} (all channels counted)`);
  }
}
