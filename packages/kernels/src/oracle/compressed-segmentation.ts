/**
 * compressed_segmentation, voxel by voxel: the meaning of the fast kernels in the fewest words. For tests.
 * @module
 */
import { KernelError } from "../error.ts";
import { checkLength, type Size } from "../volume.ts";

/** See `encodeCompressedSegmentation` of `@pcg/kernels/compressed-segmentation`. */
export function encodeCompressedSegmentationOracle(
  labels: Uint32Array | BigUint64Array,
  size: Size,
  channels: number,
  blockSize: Size,
): Uint8Array {
  checkLength("labels", labels.length, size, channels);
  const voxels = size[0] * size[1] * size[2];
  const words: number[] = new Array(channels).fill(0);
  for (let channel = 0; channel < channels; channel++) {
    words[channel] = words.length;
    const part = labels.subarray(channel * voxels, (channel + 1) * voxels);
    for (const word of encodeChannel(part, size, blockSize)) words.push(word);
  }
  return new Uint8Array(Uint32Array.from(words).buffer);
}

function encodeChannel(labels: Uint32Array | BigUint64Array, size: Size, block: Size): number[] {
  const grid = size.map((length, axis) => Math.ceil(length / block[axis]!));
  const words: number[] = new Array(2 * grid[0]! * grid[1]! * grid[2]!).fill(0);
  const tables = new Map<string, number>();
  let header = 0;
  for (let gz = 0; gz < grid[2]!; gz++) {
    for (let gy = 0; gy < grid[1]!; gy++) {
      for (let gx = 0; gx < grid[0]!; gx++, header += 2) {
        const at: [voxel: number, bit: number][] = [];
        for (let z = 0; z < block[2] && gz * block[2] + z < size[2]; z++) {
          for (let y = 0; y < block[1] && gy * block[1] + y < size[1]; y++) {
            for (let x = 0; x < block[0] && gx * block[0] + x < size[0]; x++) {
              const voxel = gx * block[0] + x + size[0] * (gy * block[1] + y + size[1] * (gz * block[2] + z));
              at.push([voxel, x + block[0] * (y + block[1] * z)]);
            }
          }
        }
        const table = [...new Set(at.map(([voxel]) => labels[voxel]!))].sort((a, b) => (a < b ? -1 : 1));
        const bits = [0, 1, 2, 4, 8, 16, 32].find((b) => 2 ** b >= table.length)!;
        const valuesOffset = words.length;
        const values: number[] = new Array(Math.ceil((bits * block[0] * block[1] * block[2]) / 32)).fill(0);
        for (const [voxel, index] of at) {
          const bit = index * bits;
          if (bits > 0) values[bit >> 5]! |= table.indexOf(labels[voxel]!) << (bit & 31);
        }
        for (const word of values) words.push(word >>> 0);
        const key = table.join();
        let tableOffset = tables.get(key);
        if (tableOffset === undefined) {
          tableOffset = words.length;
          tables.set(key, tableOffset);
          for (const label of table) {
            if (typeof label === "number") words.push(label);
            else words.push(Number(label & 0xffffffffn), Number(label >> 32n));
          }
        }
        if (tableOffset >= 2 ** 24 || valuesOffset >= 2 ** 24) {
          throw new KernelError("TOO_LARGE", "compressed_segmentation offset passes 2^24 words");
        }
        words[header] = tableOffset + bits * 2 ** 24;
        words[header + 1] = valuesOffset;
      }
    }
  }
  return words;
}

/** See `decodeCompressedSegmentation` of `@pcg/kernels/compressed-segmentation`. */
export function decodeCompressedSegmentationOracle(
  bytes: Uint8Array,
  size: Size,
  channels: number,
  block: Size,
  dtype: "uint32" | "uint64",
): Uint32Array | BigUint64Array {
  const fail = (what: string): never => {
    throw new KernelError("CORRUPT", `compressed_segmentation: ${what}`);
  };
  if (bytes.length % 4 !== 0) fail("length is no multiple of 4");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words = bytes.length / 4;
  const word = (at: number): number => (at < words ? view.getUint32(at * 4, true) : fail(`word ${at} is past the end`));
  const grid = size.map((length, axis) => Math.ceil(length / block[axis]!));
  const voxels = size[0] * size[1] * size[2];
  const labels = dtype === "uint32" ? new Uint32Array(voxels * channels) : new BigUint64Array(voxels * channels);
  let i = 0;
  for (let channel = 0; channel < channels; channel++) {
    const base = word(channel);
    for (let z = 0; z < size[2]; z++) {
      for (let y = 0; y < size[1]; y++) {
        for (let x = 0; x < size[0]; x++, i++) {
          const g = [Math.floor(x / block[0]), Math.floor(y / block[1]), Math.floor(z / block[2])];
          const header = base + 2 * (g[0]! + grid[0]! * (g[1]! + grid[1]! * g[2]!));
          const bits = word(header) >>> 24;
          const values = base + word(header + 1);
          if (![0, 1, 2, 4, 8, 16, 32].includes(bits)) fail(`${bits} bits per voxel`);
          const at = (x % block[0]) + block[0] * ((y % block[1]) + block[1] * (z % block[2]));
          const bit = at * bits;
          let index = 0;
          if (bits > 0) {
            const packed = word(values + Math.floor(bit / 32));
            index = Math.floor(packed / 2 ** (bit % 32)) % 2 ** bits;
          }
          const table = base + (word(header) & 0xffffff);
          if (labels instanceof Uint32Array) labels[i] = word(table + index);
          else labels[i] = BigInt(word(table + 2 * index)) | (BigInt(word(table + 2 * index + 1)) << 32n);
        }
      }
    }
  }
  return labels;
}
