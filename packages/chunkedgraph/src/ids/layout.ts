import { GraphError } from "../errors.ts";
import { halves } from "./bulk.ts";

/** Bits of the layer field. */
export const LAYER_BITS = 8;
/** Chunk coordinates of an id, at the id's own layer. */
export type ChunkCoords = readonly [number, number, number];

const LAYER_SHIFT = 56n;
const MAX_ID = (1n << 64n) - 1n;
/** 8 + 3·18 bits leave two bits of segment: the widest layout that can still hold a node. */
const MAX_SPATIAL_BITS = 18;

/** The layer an id claims to be on: its top byte. */
export function layerOf(id: bigint): number {
  return Number(id >> LAYER_SHIFT);
}

/** The bit layout of one graph's ids. */
export class IdLayout {
  /** Number of layers; roots live on this one. */
  readonly layers: number;
  /** Bits per axis of the chunk coordinates on layers 1 and 2. */
  readonly spatialBits: number;

  /** Throws GraphError `bad-settings` when the layers do not fit the bits. */
  constructor(layers: number, spatialBits: number) {
    if (!Number.isInteger(layers) || layers < 2)
      throw new GraphError("bad-settings", `layers must be an integer of at least 2, not ${layers}`, { layers });
    const least = Math.max(1, layers - 2);
    if (!Number.isInteger(spatialBits) || spatialBits < least || spatialBits > MAX_SPATIAL_BITS)
      throw new GraphError(
        "bad-settings",
        `spatialBits must be an integer from ${least} (for ${layers} layers) to ${MAX_SPATIAL_BITS}, not ${spatialBits}` +
          (least > MAX_SPATIAL_BITS ? "; use larger chunks, so that fewer layers are needed" : ""),
        { layers, spatialBits },
      );
    this.layers = layers;
    this.spatialBits = spatialBits;
  }

  /** Bits per axis of the chunk coordinates on a layer. */
  bits(layer: number): number {
    this.checkLayer(layer);
    return layer <= 2 ? this.spatialBits : Math.max(1, this.layers - layer);
  }

  /** Bits of the segment field on a layer. */
  segmentBits(layer: number): number {
    return 64 - LAYER_BITS - 3 * this.bits(layer);
  }

  /** The largest segment number on a layer; at most 2^53 − 1. */
  segmentLimit(layer: number): bigint {
    return (1n << BigInt(this.segmentBits(layer))) - 1n;
  }

  /** Whether the id has a layer of this graph and a segment, as every node does. Says nothing about its existence. */
  isNode(id: bigint): boolean {
    if (id < 0n || id > MAX_ID) return false;
    const layer = layerOf(id);
    return layer >= 1 && layer <= this.layers && this.segmentOf(id) !== 0n;
  }

  /** The chunk's id: layer and coordinates, segment 0. */
  chunkId(layer: number, coords: ChunkCoords): bigint {
    const bits = this.bits(layer);
    let id = BigInt(layer);
    for (const c of coords) {
      if (!Number.isInteger(c) || c < 0 || c >= 2 ** bits)
        throw new RangeError(`chunk coordinate ${c} of layer ${layer} is outside 0..${2 ** bits - 1} (${bits} bits)`);
      id = (id << BigInt(bits)) | BigInt(c);
    }
    return id << BigInt(this.segmentBits(layer));
  }

  /** The chunk's node with this segment number (1 to the layer's limit). */
  nodeId(chunk: bigint, segment: bigint): bigint {
    const limit = this.segmentLimit(layerOf(chunk));
    if (segment < 1n || segment > limit)
      throw new RangeError(`segment ${segment} of chunk ${chunk} is outside 1..${limit}: the chunk has no more ids`);
    return chunk | segment;
  }

  /** The id of the chunk a node is in. */
  chunkOf(id: bigint): bigint {
    const bits = BigInt(this.segmentBits(layerOf(id)));
    return (id >> bits) << bits;
  }

  /** The last id a chunk can hold: its nodes are the ids in (chunk, last]. */
  lastOf(chunk: bigint): bigint {
    return chunk | this.segmentLimit(layerOf(chunk));
  }

  segmentOf(id: bigint): bigint {
    return id & this.segmentLimit(layerOf(id));
  }

  coordsOf(id: bigint): ChunkCoords {
    const layer = layerOf(id);
    const bits = this.bits(layer);
    const high = Number(id >> 32n);
    const low = Number(id & 0xffffffffn);
    const shift = this.segmentBits(layer);
    return [
      field(high, low, shift + 2 * bits, bits),
      field(high, low, shift + bits, bits),
      field(high, low, shift, bits),
    ];
  }

  /** The chunk on `layer` (at or above the id's own) that contains the id's chunk; layers 1 and 2 share one grid. */
  ancestorChunk(id: bigint, layer: number): bigint {
    const own = layerOf(id);
    if (layer < own) throw new RangeError(`layer ${layer} is below the layer ${own} of id ${id}`);
    const shift = Math.max(layer, 2) - Math.max(own, 2);
    const [x, y, z] = this.coordsOf(id);
    return this.chunkId(layer, [x >>> shift, y >>> shift, z >>> shift]);
  }

  /** The chunk one layer above. */
  parentChunk(id: bigint): bigint {
    return this.ancestorChunk(id, layerOf(id) + 1);
  }

  /**
   * The layer of an edge between two supervoxels, also of chunks that do not touch: 1 inside a chunk, otherwise the
   * layer on which their chunks are different but share the parent chunk.
   */
  crossLayer(a: bigint, b: bigint): number {
    const [ax, ay, az] = this.coordsOf(a);
    const [bx, by, bz] = this.coordsOf(b);
    return this.layerOfDifference((ax ^ bx) | (ay ^ by) | (az ^ bz));
  }

  /** {@link crossLayer} of each pair of layer-1 (or of layer-2) ids in `pairs` = [a, b, a, b, …]. */
  crossLayers(pairs: BigUint64Array): Uint8Array {
    const half = halves(pairs);
    const layers = new Uint8Array(pairs.length >>> 1);
    const bits = this.spatialBits;
    const shift = 64 - LAYER_BITS - 3 * bits;
    for (let e = 0, i = 0; e < layers.length; e++, i += 4) {
      const low = (half[i]! ^ half[i + 2]!) >>> 0;
      const high = (half[i + 1]! ^ half[i + 3]!) >>> 0;
      const difference =
        field(high, low, shift, bits) | field(high, low, shift + bits, bits) | field(high, low, shift + 2 * bits, bits);
      layers[e] = this.layerOfDifference(difference);
    }
    return layers;
  }

  private layerOfDifference(difference: number): number {
    return 1 + Math.min(32 - Math.clz32(difference), this.layers - 2);
  }

  private checkLayer(layer: number): void {
    if (!Number.isInteger(layer) || layer < 1 || layer > this.layers)
      throw new RangeError(`layer ${layer} is outside 1..${this.layers}`);
  }
}

/** `bits` (at most 18) bits of a 64-bit number from bit `shift` (at least 1) upwards. */
function field(high: number, low: number, shift: number, bits: number): number {
  const mask = (1 << bits) - 1;
  if (shift >= 32) return (high >>> (shift - 32)) & mask;
  return ((low >>> shift) | (high << (32 - shift))) & mask;
}
