import type { Xyz } from "@pcg/volume";
import type { GraphSettings } from "../contract.ts";
import { storageChunkSize } from "./chunk-size.ts";

/** What is in a graph after its ingest; equal for every ingest of the same source with the same settings. */
export interface IngestCounts {
  /** Voxels read. */
  readonly voxels: number;
  /** Layer-1 chunks. */
  readonly chunks: number;
  /** Distinct labels without 0. */
  readonly labels: number;
  readonly supervoxels: number;
  /** Objects in the graph. */
  readonly roots: number;
  /** Labels whose supervoxels do not all touch. */
  readonly brokenLabels: number;
  /** Pieces of all labels before any were joined. */
  readonly pieces: number;
  readonly edges: {
    /** Different labels that touch inside a chunk. */
    readonly inChunk: number;
    /** Different labels that touch over a face between chunks. */
    readonly betweenChunks: number;
    /** One label on both sides of a face between chunks. */
    readonly crossChunk: number;
    /** Joining pieces of one label. */
    readonly joined: number;
  };
}

/** What an ingest did and how. */
export interface IngestReport extends IngestCounts {
  readonly name: string;
  readonly source: string;
  readonly scale: string;
  readonly size: Xyz;
  readonly voxelOffset: Xyz;
  readonly resolution: Xyz;
  /** Voxels per graph chunk. */
  readonly chunkSize: Xyz;
  /** Voxels per file of the supervoxel volume. */
  readonly storageChunkSize: Xyz;
  readonly connectivity: 6 | 26;
  readonly splitDisconnected: boolean;
  readonly layers: number;
  readonly spatialBits: number;
  /** `new`: all of it was done now; `resumed`: a part; `nothing to do`: it had been complete. */
  readonly outcome: "new" | "resumed" | "nothing to do";
  /** Time this run took. */
  readonly seconds: number;
  /** Voxels of the chunks that this run read, per second of the whole run. */
  readonly voxelsPerSecond: number;
}

/** What one run did. */
export interface IngestRun {
  readonly outcome: IngestReport["outcome"];
  readonly seconds: number;
  readonly voxelsRead: number;
}

export function makeReport(settings: GraphSettings, scale: string, counts: IngestCounts, run: IngestRun): IngestReport {
  return {
    name: settings.name,
    source: settings.source,
    scale,
    size: settings.size,
    voxelOffset: settings.voxelOffset,
    resolution: settings.resolution,
    chunkSize: settings.chunkSize,
    storageChunkSize: storageChunkSize(settings.chunkSize),
    connectivity: settings.connectivity,
    splitDisconnected: settings.splitDisconnected,
    layers: settings.layers,
    spatialBits: settings.spatialBits,
    ...counts,
    outcome: run.outcome,
    seconds: run.seconds,
    voxelsPerSecond: run.voxelsRead === 0 ? 0 : run.voxelsRead / run.seconds,
  };
}
