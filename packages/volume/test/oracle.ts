import type { Random } from "@pcg/testkit";
import { allocateVoxels, type Box, type DataType, type Scale, type VoxelArray, type Xyz } from "../src/index.ts";

/** A volume in one plain array, to compare with: channel, z, y, x nested loops and nothing clever. */
export class Oracle {
  readonly begin: Xyz;
  readonly size: Xyz;
  readonly channels: number;
  readonly dataType: DataType;
  readonly data: VoxelArray;

  constructor(scale: Pick<Scale, "voxelOffset" | "size" | "channels" | "dataType">, fill: number | bigint) {
    this.begin = scale.voxelOffset;
    this.size = scale.size;
    this.channels = scale.channels;
    this.dataType = scale.dataType;
    this.data = allocateVoxels(scale.dataType, scale.size[0] * scale.size[1] * scale.size[2] * scale.channels);
    (this.data as BigUint64Array).fill(fill as bigint);
  }

  read(box: Box): VoxelArray {
    const out = allocateVoxels(this.dataType, this.count(box));
    this.each(box, (inside, index) => {
      out[index] = this.data[inside]!;
    });
    return out;
  }

  write(box: Box, values: VoxelArray): void {
    this.each(box, (inside, index) => {
      this.data[inside] = values[index]!;
    });
  }

  count({ begin, end }: Box): number {
    return (end[0] - begin[0]) * (end[1] - begin[1]) * (end[2] - begin[2]) * this.channels;
  }

  private each({ begin, end }: Box, visit: (inside: number, index: number) => void): void {
    let index = 0;
    for (let c = 0; c < this.channels; c++) {
      for (let z = begin[2]; z < end[2]; z++) {
        for (let y = begin[1]; y < end[1]; y++) {
          for (let x = begin[0]; x < end[0]; x++) {
            const [i, j, k] = [x - this.begin[0], y - this.begin[1], z - this.begin[2]];
            visit(i + this.size[0] * (j + this.size[1] * (k + this.size[2] * c)), index++);
          }
        }
      }
    }
  }
}

/** A box inside the scale; sometimes all of it, sometimes whole chunks, seldom empty. */
export function randomBox(random: Random, scale: Pick<Scale, "voxelOffset" | "size" | "chunkSize">): Box {
  const begin: number[] = [];
  const end: number[] = [];
  const style = random.below(4);
  for (let axis = 0; axis < 3; axis++) {
    const size = scale.size[axis]!;
    let low = style === 0 ? 0 : random.below(size + 1);
    let high = style === 0 ? size : random.between(low, size);
    if (style === 1) {
      const chunk = scale.chunkSize[axis]!;
      low -= low % chunk;
      high = Math.min(size, Math.ceil(high / chunk) * chunk);
      if (low > high) low = high;
    }
    begin.push(low + scale.voxelOffset[axis]!);
    end.push(high + scale.voxelOffset[axis]!);
  }
  return { begin: begin as unknown as Xyz, end: end as unknown as Xyz };
}

/** Values over all bits of the type, with runs, so that compressors have something to do. */
export function randomVoxels(random: Random, dataType: DataType, length: number): VoxelArray {
  const out = allocateVoxels(dataType, length);
  for (let i = 0; i < length; ) {
    const value = random.uint64();
    const run = random.between(1, 12);
    for (let j = 0; j < run && i < length; j++, i++) {
      if (out instanceof BigUint64Array || out instanceof BigInt64Array) out[i] = value;
      else if (out instanceof Float32Array || out instanceof Float64Array) out[i] = Number(value >> 11n) / 3;
      else out[i] = Number(BigInt.asUintN(32, value));
    }
  }
  return out;
}

/** Like `toEqual`, for arrays of many voxels: compares bytes, and names the first voxel that differs. */
export function expectSame(actual: VoxelArray, expected: VoxelArray): void {
  const bytes = (data: VoxelArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const isSame = actual.constructor === expected.constructor && Buffer.compare(bytes(actual), bytes(expected)) === 0;
  if (isSame) return;
  const index = (expected as BigUint64Array).findIndex((value, i) => !Object.is(value, actual[i]));
  throw new Error(
    `${actual.constructor.name}(${actual.length}) differs from ${expected.constructor.name}(${expected.length}), ` +
      `first at index ${index}: ${actual[index]} instead of ${expected[index]}`,
  );
}
