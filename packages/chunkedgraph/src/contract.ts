/**
 * What a proofreading graph offers its users. Ids are `bigint` one by one and `BigUint64Array` in bulk; times are
 * microseconds since the epoch as `bigint`; boxes and points are voxels of the graph's scale in x, y, z order.
 * @module
 */
import type { Box, Xyz } from "@pcg/volume";

/** Microseconds since the epoch. */
export type Time = bigint;

export interface GraphSettings {
  /** Layout version of the rows. */
  readonly version: number;
  readonly name: string;
  /** Voxels per chunk. */
  readonly chunkSize: Xyz;
  readonly voxelOffset: Xyz;
  /** Size of the volume in voxels. */
  readonly size: Xyz;
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  readonly layers: number;
  /** Bits per axis of the chunk coordinates of layers 1 and 2. */
  readonly spatialBits: number;
  readonly connectivity: 6 | 26;
  readonly splitDisconnected: boolean;
  /** Where the labels came from. */
  readonly source: string;
  /** Time of every row the ingest wrote: the graph's beginning. */
  readonly ingestTime: Time;
}

export interface ReadOptions {
  readonly signal?: AbortSignal;
}

/** What part of an object is read, and how much of it at most. */
export interface PartOptions extends ReadOptions {
  /** Only what lies in chunks that overlap the box. */
  readonly box?: Box;
  /** Most nodes, and most edges, to gather; more: GraphError `too-large`, before they are all in memory. Default: any number. */
  readonly limit?: number;
}

/** An id of any layer and the voxel position a person pointed at (fractions allowed, volume coordinates). */
export interface Pick {
  readonly id: bigint;
  readonly position: Xyz;
}

export interface MergeRequest {
  readonly user: string;
  /** The two places to join. */
  readonly picks: readonly [Pick, Pick];
  /** Refuse picks further apart than this many chunks on an axis; default 3. */
  readonly maxChunkDistance?: number;
}

export interface EditResult {
  readonly operationId: bigint;
  readonly time: Time;
  readonly oldRoots: BigUint64Array;
  readonly newRoots: BigUint64Array;
  readonly newL2: BigUint64Array;
}

export interface SupervoxelEdges {
  /** Pairs: 2E ids. */
  readonly pairs: BigUint64Array;
  readonly affinities: Float32Array;
  readonly areas: BigUint64Array;
  /** 1 = active. */
  readonly active: Uint8Array;
}

/** Reads at one instant; every answer of one view agrees with every other. */
export interface GraphView {
  readonly time: Time;
  /**
   * The root of each id, in order; with `stopLayer` the lowest ancestor at or above that layer. An id already there is
   * its own answer; 0 and unknown ids give 0.
   */
  roots(ids: BigUint64Array, options?: ReadOptions & { readonly stopLayer?: number }): Promise<BigUint64Array>;
  /** Direct parent of each id (0: none, or unknown). */
  parents(ids: BigUint64Array, options?: ReadOptions): Promise<BigUint64Array>;
  /** Children of each id in ascending order; `undefined` for an unknown id, empty for a supervoxel. */
  children(ids: BigUint64Array, options?: ReadOptions): Promise<(BigUint64Array | undefined)[]>;
  /**
   * Descendants on `stopLayer` (default 1), ascending, none twice; where a parent skips the layer, its child below it. An id
   * at or below the layer is its own answer. Unknown id: GraphError.
   */
  leaves(id: bigint, options?: PartOptions & { readonly stopLayer?: number }): Promise<BigUint64Array>;
  /** Which ids had been created by the view's time (1) or not (0). */
  exist(ids: BigUint64Array, options?: ReadOptions): Promise<Uint8Array>;
  /** Which ids are roots without successor at the view's time. */
  isLatest(ids: BigUint64Array, options?: ReadOptions): Promise<Uint8Array>;
  /** Level-2 ids of the chunk and their supervoxels as [l2, sv, l2, sv, …], the state at the view's time. */
  chunkMapping(l2Chunk: bigint, options?: ReadOptions): Promise<BigUint64Array>;
  /** Pairs of level-2 ids of one object joined by an active edge, smaller id first, distinct. */
  level2Graph(id: bigint, options?: PartOptions): Promise<BigUint64Array>;
  /** Supervoxel edges with both ends in the object and in chunks overlapping the box. */
  subgraph(id: bigint, options?: PartOptions): Promise<SupervoxelEdges>;
}

export interface Lineage {
  readonly nodes: readonly { readonly id: bigint; readonly time: Time; readonly operationId?: bigint }[];
  /** Older root → newer root. */
  readonly links: readonly { readonly source: bigint; readonly target: bigint }[];
}

export interface Operation {
  readonly id: bigint;
  readonly kind: "merge";
  readonly status: "done" | "refused";
  readonly user: string;
  /** Commit time, or when it was refused. */
  readonly time: Time;
  readonly refusal?: { readonly code: string; readonly message: string };
  /** As the user gave them. */
  readonly picks: readonly Pick[];
  /** Supervoxels the picks were resolved to. */
  readonly supervoxels: BigUint64Array;
  /** Pairs of supervoxels whose edge became active. */
  readonly addedEdges: BigUint64Array;
  readonly oldRoots: BigUint64Array;
  readonly newRoots: BigUint64Array;
  readonly oldL2: BigUint64Array;
  readonly newL2: BigUint64Array;
}

/** What was, and how it came to be. Unknown roots: GraphError. */
export interface GraphHistory {
  /** Clients' window rule: from the given roots back from nodes created after `from`, forward from nodes created at or before `to`. */
  lineage(
    roots: BigUint64Array,
    window?: { readonly from?: Time; readonly to?: Time },
    options?: ReadOptions,
  ): Promise<Lineage>;
  /** Creation time of each root, or with `latest` the moment its successor began (`undefined` successor: the given time). */
  rootTimes(
    roots: BigUint64Array,
    options?: ReadOptions & { readonly latest?: boolean; readonly at?: Time },
  ): Promise<readonly Time[]>;
  /** Operations of the root's past, oldest first. */
  changeLog(root: bigint, options?: ReadOptions): Promise<readonly Operation[]>;
  operations(ids: readonly bigint[], options?: ReadOptions): Promise<readonly (Operation | undefined)[]>;
  /** Operations with from ≤ time ≤ to, oldest first, refused ones included; of equal times the lower number first. */
  operationsBetween(from: Time, to: Time, options?: ReadOptions & { readonly user?: string }): AsyncIterable<Operation>;
  /** Roots that ended and began by edits with from < time ≤ to, net of intermediates. */
  delta(
    from: Time,
    to: Time,
    options?: ReadOptions,
  ): Promise<{ readonly oldRoots: BigUint64Array; readonly newRoots: BigUint64Array }>;
}

export interface Graph {
  readonly settings: GraphSettings;
  readonly history: GraphHistory;
  /** The time up to which every edit is settled. */
  settledTime(): Promise<Time>;
  /** Reads at `time` (default and maximum: the settled time). */
  view(time?: Time): Promise<GraphView>;
  /** The supervoxel a pick means now: the one at the voxel, else the nearest voxel of `id` within reach. Refusal: GraphError. */
  resolve(picks: readonly Pick[], options?: ReadOptions): Promise<BigUint64Array>;
  /** The supervoxel at each voxel, 0 for background; outside the volume: GraphError. */
  supervoxelsAt(voxels: readonly Xyz[], options?: ReadOptions): Promise<BigUint64Array>;
  merge(request: MergeRequest, options?: ReadOptions): Promise<EditResult>;
  /** Calls back after each edit committed by any process, in order; returns the unsubscriber. */
  subscribe(listener: (operation: Operation) => void): () => void;
  close(): Promise<void>;
}

/** Stable codes a caller can act on. */
export type GraphErrorCode =
  | "unknown-id"
  | "wrong-layer"
  | "outside-volume"
  | "no-supervoxel"
  | "same-supervoxel"
  | "same-object"
  | "too-far"
  | "too-large"
  | "superseded"
  | "busy"
  | "bad-settings"
  | "not-ingested"
  | "already-ingested"
  | "no-voxels"
  | "wrong-voxels"
  | "ids-exhausted"
  | "clock-behind"
  | "corrupt-row"
  | "invalid-argument";
