/**
 * What the tasks of an ingest leave for each other in a key-value store that is thrown away at the end. Every value is a
 * function of the source and the settings alone, so writing one again changes nothing.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { GraphError } from "../errors.ts";
import { decodeNodeTable, encodeNodeTable, type NodeTable } from "./node-table.ts";
import type { Parents } from "./parents.ts";
import { asUint32, asUint64, decodeSections, encodeSections, headerBytes } from "./sections.ts";

/** What a chunk task found. Supervoxels are numbered 1, 2, … inside their chunk; element n − 1 belongs to number n. */
export interface ChunkRecord extends ChunkSupervoxels {
  /** Runs of supervoxel numbers on the outer planes: low x, high x, low y, high y, low z, high z. */
  readonly planes: readonly Uint32Array[];
}

export interface ChunkSupervoxels {
  readonly labels: BigUint64Array;
  /** One voxel of each supervoxel, near its middle: an index into the chunk's voxels, x fastest. */
  readonly positions: Uint32Array;
}

/** Active edges over the three upper faces of a chunk: pairs of supervoxel numbers, the chunk's own first. */
export type FaceLinks = readonly [x: Uint32Array, y: Uint32Array, z: Uint32Array];

const CHUNK_SECTIONS = 8;
const JOINS_KEY = "joins";

export class Scratch {
  private readonly store: KvStore;

  constructor(store: KvStore) {
    this.store = store;
  }

  async writeChunk(ordinal: number, record: ChunkRecord, signal?: AbortSignal): Promise<void> {
    const { labels, positions, planes } = record;
    await this.write(chunkKey(ordinal), encodeSections([labels, positions, ...planes]), signal);
  }

  async readChunk(ordinal: number, signal?: AbortSignal): Promise<ChunkRecord> {
    const key = chunkKey(ordinal);
    const sections = decodeSections(await this.read(key, signal), CHUNK_SECTIONS, key);
    const [positions, ...planes] = sections.slice(1).map((section) => asUint32(section, key));
    return { labels: asUint64(sections[0]!, key), positions: positions!, planes };
  }

  /** The part of {@link readChunk} that is 12 bytes per supervoxel, `count` of them. */
  async readSupervoxels(ordinal: number, count: number, signal?: AbortSignal): Promise<ChunkSupervoxels> {
    const key = chunkKey(ordinal);
    const range = { offset: headerBytes(CHUNK_SECTIONS), length: 12 * count };
    const value = await this.read(key, signal, range);
    return { labels: asUint64(value.subarray(0, 8 * count), key), positions: asUint32(value.subarray(8 * count), key) };
  }

  async writeFaces(ordinal: number, links: FaceLinks, signal?: AbortSignal): Promise<void> {
    await this.write(facesKey(ordinal), encodeSections(links), signal);
  }

  async readFaces(ordinal: number, signal?: AbortSignal): Promise<FaceLinks> {
    const key = facesKey(ordinal);
    const [x, y, z] = decodeSections(await this.read(key, signal), 3, key).map((section) => asUint32(section, key));
    return [x!, y!, z!];
  }

  async writeJoins(pairs: Uint32Array, signal?: AbortSignal): Promise<void> {
    await this.write(JOINS_KEY, encodeSections([pairs]), signal);
  }

  /** Pairs of supervoxels counted over the volume. */
  async readJoins(signal?: AbortSignal): Promise<Uint32Array> {
    const [pairs] = decodeSections(await this.read(JOINS_KEY, signal), 1, JOINS_KEY);
    return asUint32(pairs!, JOINS_KEY);
  }

  async writeParents(
    layer: number,
    ordinal: number,
    { children, parents }: Parents,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.write(parentsKey(layer, ordinal), encodeSections([children, parents]), signal);
  }

  async readParents(layer: number, ordinal: number, signal?: AbortSignal): Promise<Parents> {
    const key = parentsKey(layer, ordinal);
    const [children, parents] = decodeSections(await this.read(key, signal), 2, key);
    return { children: asUint64(children!, key), parents: asUint64(parents!, key) };
  }

  async writeNodes(layer: number, ordinal: number, table: NodeTable, signal?: AbortSignal): Promise<void> {
    await this.write(nodesKey(layer, ordinal), encodeNodeTable(table), signal);
  }

  async readNodes(layer: number, ordinal: number, signal?: AbortSignal): Promise<NodeTable> {
    const key = nodesKey(layer, ordinal);
    return decodeNodeTable(await this.read(key, signal), key);
  }

  /** Removes everything. */
  async clear(signal?: AbortSignal): Promise<void> {
    await this.store.deleteRange({ start: new Uint8Array(0) }, signal === undefined ? {} : { signal });
  }

  private async write(key: string, value: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    await this.store.write(key, value, signal === undefined ? {} : { signal });
  }

  private async read(
    key: string,
    signal: AbortSignal | undefined,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array> {
    const options = { ...(signal === undefined ? {} : { signal }), ...(range === undefined ? {} : { range }) };
    const result = await this.store.read(key, options);
    if (result !== undefined) return result.value;
    throw new GraphError(
      "not-ingested",
      `${key} is missing from the scratch data at ${this.store.url}, though the rows say it was written; delete the graph's data and ingest again`,
      { key, store: this.store.url },
    );
  }
}

function chunkKey(ordinal: number): string {
  return `chunk/${ordinal}`;
}

function facesKey(ordinal: number): string {
  return `faces/${ordinal}`;
}

function parentsKey(layer: number, ordinal: number): string {
  return `parents/${layer}/${ordinal}`;
}

function nodesKey(layer: number, ordinal: number): string {
  return `nodes/${layer}/${ordinal}`;
}
