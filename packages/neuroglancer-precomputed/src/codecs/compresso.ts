/**
 * Encoding `compresso`, decoding only. A stream describes where labels change: a bit per voxel, set on boundaries, stored
 * as a run-length coded sequence of windows. The connected components between the boundaries, numbered in raster order,
 * have one label each (`ids`). A boundary voxel takes the label of a neighbour before it; where that is no help, the next
 * of the `locations` says which neighbour to copy, or the label itself.
 *
 * Decoding works on 32-bit indices into one table of labels, whatever the label's width. It holds about 9 bytes per voxel
 * beside the result.
 * @module
 */
import type { Xyz } from "../chunk-grid.ts";
import { allocateVoxels, bytesPerVoxel, type ChunkArray, type DataType, voxelsFromBytes } from "../data-type.ts";
import { corrupt, PrecomputedError } from "../errors.ts";

const HEADER_BYTES = 36;

/** Values of `locations`: copy the label of a neighbour, or read a literal. */
const LEFT = 0;
const RIGHT = 1;
const UP = 2;
const DOWN = 3;
const ABOVE = 4;
const BELOW = 5;
/** The next value is the label. */
const ESCAPE = 6;
/** This and everything beyond is a label plus 7. */
const LITERAL = 7;

interface Stream {
  readonly size: Xyz;
  readonly step: Xyz;
  readonly connectivity: 4 | 6;
  readonly ids: ChunkArray;
  /** Low and high halves of the distinct windows. */
  readonly windowLow: Uint32Array;
  readonly windowHigh: Uint32Array;
  readonly locations: ChunkArray;
  /** Run-length words: odd is a run of window 0, even a window's number; both shifted by one. */
  readonly words: Uint32Array;
}

export function decodeCompresso(bytes: Uint8Array, dataType: DataType, size: Xyz): ChunkArray {
  const stream = readStream(bytes, dataType, size);
  const voxels = size[0] * size[1] * size[2];
  // A stream without any content stands for zeros.
  if (stream.ids.length === 0 && stream.words.length === 0) return allocateVoxels(dataType, voxels);
  const boundaries = decodeBoundaries(stream, decodeWindows(stream));
  const { components, count } = labelComponents(boundaries, size, stream.connectivity);
  if (count > stream.ids.length) {
    throw corrupt(`compresso: boundaries enclose ${count} components, the stream labels ${stream.ids.length}`);
  }
  resolveBoundaries(stream, boundaries, components);
  return gather(labelTable(stream, dataType), components, allocateVoxels(dataType, voxels));
}

function readStream(bytes: Uint8Array, dataType: DataType, size: Xyz): Stream {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER_BYTES)
    throw corrupt(`compresso: ${bytes.length} bytes are less than the header's ${HEADER_BYTES}`);
  if (view.getUint32(0) !== 0x6370736f) throw corrupt('compresso: does not begin with "cpso"');
  const version = view.getUint8(4);
  if (version > 1)
    throw new PrecomputedError("UNSUPPORTED", `compresso: format version ${version}, the last known is 1`);
  const labelBytes = bytesPerVoxel(dataType);
  if (view.getUint8(5) !== labelBytes) {
    throw corrupt(`compresso: labels of ${view.getUint8(5)} bytes where ${dataType} has ${labelBytes}`);
  }
  const [sx, sy, sz] = [view.getUint16(6, true), view.getUint16(8, true), view.getUint16(10, true)];
  if (sx !== size[0] || sy !== size[1] || sz !== size[2]) {
    throw corrupt(`compresso: stream of ${sx} x ${sy} x ${sz} voxels for a chunk of ${size.join(" x ")}`);
  }
  const step: Xyz = [view.getUint8(12), view.getUint8(13), view.getUint8(14)];
  const windowBits = step[0] * step[1] * step[2];
  if (windowBits < 1 || windowBits > 64)
    throw corrupt(`compresso: window of ${step.join(" x ")} voxels; it has 1 to 64`);
  const connectivity = view.getUint8(35);
  if (connectivity !== 4 && connectivity !== 6)
    throw corrupt(`compresso: connectivity ${connectivity} is neither 4 nor 6`);

  const windowBytes = windowBits <= 8 ? 1 : windowBits <= 16 ? 2 : windowBits <= 32 ? 4 : 8;
  // Version 1 appends, for every slice, how far into ids and locations it begins. Reading all slices needs none of it.
  const tailBytes = version === 1 ? 2 * sz * indexBytes(sx * sy) : 0;
  let at = HEADER_BYTES;
  const take = (what: string, count: bigint, width: number): Uint8Array => {
    const left = bytes.length - tailBytes - at;
    if (count * BigInt(width) > BigInt(left))
      throw corrupt(`compresso: ${count} ${what} of ${width} bytes, ${Math.max(left, 0)} bytes are left`);
    const part = bytes.subarray(at, at + Number(count) * width);
    at += part.length;
    return part;
  };
  const ids = take("ids", view.getBigUint64(15, true), labelBytes);
  const windows = take("windows", BigInt(view.getUint32(23, true)), windowBytes);
  const locations = take("locations", view.getBigUint64(27, true), labelBytes);
  const wordBytes = bytes.length - tailBytes - at;
  if (wordBytes % windowBytes !== 0)
    throw corrupt(`compresso: ${wordBytes} bytes of run-length words are no multiple of ${windowBytes}`);
  const words = readWords(take("words", BigInt(wordBytes / windowBytes), windowBytes), windowBytes);
  if (words.high.some((half) => half !== 0)) throw corrupt("compresso: a run-length word passes 2^32");
  const values = readWords(windows, windowBytes);
  return {
    size,
    step,
    connectivity,
    ids: voxelsFromBytes(dataType, ids),
    windowLow: values.low,
    windowHigh: values.high,
    locations: voxelsFromBytes(dataType, locations),
    words: words.low,
  };
}

/** Bytes of one entry of the index at the end, which can hold twice the voxels of a slice. */
function indexBytes(sliceVoxels: number): number {
  const most = 2 * sliceVoxels;
  return most < 0xff ? 1 : most < 0xffff ? 2 : most < 0xffffffff ? 4 : 8;
}

/** Little-endian words of 1, 2, 4 or 8 bytes as two halves of 32 bits. */
function readWords(bytes: Uint8Array, width: number): { low: Uint32Array; high: Uint32Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length / width;
  const low = new Uint32Array(count);
  const high = new Uint32Array(count);
  for (let i = 0, at = 0; i < count; i++, at += width) {
    if (width === 1) low[i] = view.getUint8(at);
    else if (width === 2) low[i] = view.getUint16(at, true);
    else low[i] = view.getUint32(at, true);
    if (width === 8) high[i] = view.getUint32(at + 4, true);
  }
  return { low, high };
}

/** The number of each window of the grid, x fastest. */
function decodeWindows(stream: Stream): Uint32Array {
  const { size, step, words } = stream;
  const count = Math.ceil(size[0] / step[0]) * Math.ceil(size[1] / step[1]) * Math.ceil(size[2] / step[2]);
  const windows = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < words.length; i++) {
    const value = words[i]! >>> 1;
    if ((words[i]! & 1) === 1) {
      at += value;
    } else {
      if (at >= count) throw corrupt(`compresso: run-length words pass the ${count} windows of the chunk`);
      if (value >= stream.windowLow.length) throw corrupt(`compresso: window ${value} of ${stream.windowLow.length}`);
      windows[at++] = value;
    }
  }
  if (at > count) throw corrupt(`compresso: run-length words pass the ${count} windows of the chunk`);
  return windows;
}

/** 1 on boundary voxels. */
function decodeBoundaries(stream: Stream, windows: Uint32Array): Uint8Array {
  const { size, step, windowLow, windowHigh } = stream;
  const [sx, sy, sz] = size;
  const boundaries = new Uint8Array(sx * sy * sz);
  if (windowLow.length === 0) return boundaries;
  const nx = Math.ceil(sx / step[0]);
  const ny = Math.ceil(sy / step[1]);
  for (let z = 0, at = 0; z < sz; z++) {
    const zBit = step[0] * step[1] * (z % step[2]);
    for (let y = 0; y < sy; y++) {
      const yBit = zBit + step[0] * (y % step[1]);
      let window = nx * (Math.floor(y / step[1]) + ny * Math.floor(z / step[2]));
      for (let x0 = 0; x0 < sx; x0 += step[0], window++) {
        const low = windowLow[windows[window]!]!;
        const high = windowHigh[windows[window]!]!;
        const end = Math.min(sx - x0, step[0]);
        for (let x = 0; x < end; x++, at++) {
          const bit = yBit + x;
          boundaries[at] = ((bit < 32 ? low >>> bit : high >>> (bit - 32)) & 1) as number;
        }
      }
    }
  }
  return boundaries;
}

/**
 * Connected components of the voxels that are no boundary, numbered from 1 in the order of their first voxels: within
 * each slice for connectivity 4, across slices for 6.
 */
function labelComponents(
  boundaries: Uint8Array,
  size: Xyz,
  connectivity: 4 | 6,
): { components: Uint32Array; count: number } {
  const [sx, sy, sz] = size;
  const sxy = sx * sy;
  const components = new Uint32Array(boundaries.length);
  // A set's root is its smallest, that is first, number.
  const parents = new Uint32Array(boundaries.length + 1);
  let last = 0;
  const find = (n: number): number => {
    let root = n;
    while (parents[root]! !== root) root = parents[root]!;
    for (let next = n; next !== root; ) {
      const up = parents[next]!;
      parents[next] = root;
      next = up;
    }
    return root;
  };
  const join = (a: number, b: number): number => {
    if (a === b) return a;
    const rootA = find(a);
    const rootB = find(b);
    const root = Math.min(rootA, rootB);
    parents[Math.max(rootA, rootB)] = root;
    return root;
  };
  for (let z = 0, at = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, at++) {
        if (boundaries[at] === 1) continue;
        let component = x > 0 ? components[at - 1]! : 0;
        const up = y > 0 ? components[at - sx]! : 0;
        if (up !== 0) component = component === 0 ? up : join(component, up);
        const above = connectivity === 6 && z > 0 ? components[at - sxy]! : 0;
        if (above !== 0) component = component === 0 ? above : join(component, above);
        if (component === 0) {
          component = ++last;
          parents[component] = component;
        }
        components[at] = component;
      }
    }
  }
  // Roots precede their members, so one pass renumbers them; the table then serves all voxels.
  let count = 0;
  for (let n = 1; n <= last; n++) parents[n] = parents[n] === n ? ++count : parents[parents[n]!]!;
  for (let i = 0; i < components.length; i++) components[i] = parents[components[i]!]!;
  return { components, count };
}

/** Gives boundary voxels an index into {@link labelTable}, in place. */
function resolveBoundaries(stream: Stream, boundaries: Uint8Array, indices: Uint32Array): void {
  const { size, connectivity, ids } = stream;
  const [sx, sy, sz] = size;
  const sxy = sx * sy;
  const codes = locationCodes(stream.locations);
  const literals = 1 + ids.length;
  const escaped = literals + codes.length;
  let next = 0;
  for (let z = 0, at = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, at++) {
        if (boundaries[at] === 0) continue;
        if (x > 0 && boundaries[at - 1] === 0) {
          indices[at] = indices[at - 1]!;
        } else if (y > 0 && boundaries[at - sx] === 0) {
          indices[at] = indices[at - sx]!;
        } else if (connectivity === 6 && z > 0 && boundaries[at - sxy] === 0) {
          indices[at] = indices[at - sxy]!;
        } else {
          const code = next < codes.length ? codes[next]! : -1;
          if (code === LITERAL) indices[at] = literals + next;
          else if (code === ESCAPE && next + 1 < codes.length) indices[at] = escaped + ++next;
          else if (code === LEFT && x > 0) indices[at] = indices[at - 1]!;
          else if (code === RIGHT && x < sx - 1) indices[at] = indices[at + 1]!;
          else if (code === UP && y > 0) indices[at] = indices[at - sx]!;
          else if (code === DOWN && y < sy - 1) indices[at] = indices[at + sx]!;
          else if (code === ABOVE && z > 0) indices[at] = indices[at - sxy]!;
          else if (code === BELOW && z < sz - 1) indices[at] = indices[at + sxy]!;
          else throw corrupt(`compresso: location ${next} of ${codes.length} cannot label voxel (${x}, ${y}, ${z})`);
          next++;
        }
      }
    }
  }
}

/** Each location's meaning, with everything from 7 on as {@link LITERAL}. */
function locationCodes(locations: ChunkArray): Uint8Array {
  const codes = new Uint8Array(locations.length);
  for (let i = 0; i < codes.length; i++) {
    const value = locations[i]!;
    codes[i] = value < LITERAL ? Number(value) : LITERAL;
  }
  return codes;
}

/** Label of index 0 (nothing), of each component, of each location read as label plus 7, and of each as plain label. */
function labelTable(stream: Stream, dataType: DataType): ChunkArray {
  const { ids, locations } = stream;
  const table = allocateVoxels(dataType, 1 + ids.length + 2 * locations.length);
  (table as Uint8Array).set(ids as Uint8Array, 1);
  (table as Uint8Array).set(locations as Uint8Array, 1 + ids.length + locations.length);
  const literals = 1 + ids.length;
  if (table instanceof BigUint64Array && locations instanceof BigUint64Array) {
    for (let i = 0; i < locations.length; i++) table[literals + i] = locations[i]! - 7n;
  } else {
    for (let i = 0; i < locations.length; i++) table[literals + i] = Number(locations[i]!) - 7;
  }
  return table;
}

function gather(table: ChunkArray, indices: Uint32Array, out: ChunkArray): ChunkArray {
  if (table instanceof BigUint64Array && out instanceof BigUint64Array) {
    for (let i = 0; i < indices.length; i++) out[i] = table[indices[i]!]!;
  } else {
    const [from, to] = [table as Uint32Array, out as Uint32Array];
    for (let i = 0; i < indices.length; i++) to[i] = from[indices[i]!]!;
  }
  return out;
}
