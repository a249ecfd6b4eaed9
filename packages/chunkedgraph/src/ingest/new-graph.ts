/**
 * The settings of a graph that is yet to be made, and whether there can be such a graph.
 * @module
 */
import type { Scale, Volume } from "@pcg/volume";
import type { GraphSettings } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { IdLayout, layerCount } from "../ids.ts";
import { checkSettings, SETTINGS_VERSION } from "../settings.ts";
import { CHUNK_REMEDY, defaultChunkSize, requireFewChunks } from "./chunk-size.ts";
import { chunkTaskBytes } from "./chunk-task.ts";
import type { IngestChoices } from "./plan.ts";

/** Wider than most graphs need, as the field's clients expect; more chunks on an axis widen it. */
const DEFAULT_SPATIAL_BITS = 10;

/** Ids need not count as many supervoxels as a chunk has voxels; a chunk that does hold too many is refused when it is read. */
const SMALLEST_MEAN_SUPERVOXEL = 64n;

/**
 * Refuses what an ingest into an empty place would refuse, for callers that make that place only when there is use for it.
 *
 * @param memoryBytes what the runner's tasks may take; without it memory is not looked at.
 * @throws GraphError `invalid-argument`, `bad-settings`.
 */
export function checkIngest(
  source: Volume,
  choices: IngestChoices,
  memoryBytes: number = Number.POSITIVE_INFINITY,
): void {
  const scale = chooseScale(source, choices.scale);
  const { chunkSize, size } = newSettings(source, scale, choices, BigInt(Date.now()) * 1000n);
  const largest = [0, 1, 2].map((axis) => Math.min(chunkSize[axis]!, size[axis]!)) as [number, number, number];
  const needed = chunkTaskBytes(largest, scale.dataType);
  if (needed <= memoryBytes) return;
  throw new GraphError(
    "bad-settings",
    `a chunk of ${largest.join("×")} ${scale.dataType} voxels takes ${mebibytes(needed)} to ingest, more than the ${mebibytes(memoryBytes)} that tasks may take: allow more memory, or choose a smaller chunk size`,
    { needed, limit: memoryBytes },
  );
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

/** The scale with this key, or the finest; it must hold labels. */
export function chooseScale(volume: Volume, key: string | undefined): Scale {
  const scale = key === undefined ? volume.scales[0] : volume.scales.find((candidate) => candidate.key === key);
  if (scale === undefined) {
    const known = volume.scales.map((candidate) => candidate.key).join(", ");
    throw new GraphError("invalid-argument", `${volume.url} has no scale ${JSON.stringify(key)}; it has: ${known}`, {
      scale: String(key),
      known,
    });
  }
  const what = `scale ${JSON.stringify(scale.key)} of ${volume.url}`;
  if (scale.channels !== 1) {
    throw new GraphError("invalid-argument", `${what} has ${scale.channels} channels; a segmentation has one`, {
      channels: scale.channels,
    });
  }
  if (scale.dataType === "float32" || scale.dataType === "float64") {
    throw new GraphError("invalid-argument", `${what} holds ${scale.dataType} values; labels are integers`, {
      dataType: scale.dataType,
    });
  }
  if (scale.size.some((length) => length < 1)) {
    throw new GraphError("invalid-argument", `${what} is ${scale.size.join("×")} voxels: there is nothing to ingest`, {
      size: scale.size.join(","),
    });
  }
  return scale;
}

/** The settings that these choices make of a scale. */
export function newSettings(volume: Volume, scale: Scale, choices: IngestChoices, now: bigint): GraphSettings {
  const chunkSize = choices.chunkSize ?? defaultChunkSize(scale.size, scale.chunkSize, scale.resolution);
  if (!chunkSize.every((length) => Number.isSafeInteger(length) && length >= 1)) {
    throw new GraphError("invalid-argument", `chunk size ${chunkSize.join("×")} is not three whole numbers from 1 up`, {
      chunkSize: chunkSize.join(","),
    });
  }
  requireFewChunks(scale.size, chunkSize, scale.resolution);
  const layers = layerCount(scale.size, chunkSize);
  const spatialBits = Math.max(DEFAULT_SPATIAL_BITS, layers - 2);
  const settings = checkSettings({
    version: SETTINGS_VERSION,
    name: choices.name,
    chunkSize,
    voxelOffset: scale.voxelOffset,
    size: scale.size,
    resolution: scale.resolution,
    layers,
    spatialBits,
    connectivity: choices.connectivity ?? 26,
    splitDisconnected: choices.splitDisconnected ?? false,
    source: volume.url,
    ingestTime: now,
  });
  const most = new IdLayout(layers, spatialBits).segmentLimit(1);
  const voxels = chunkSize.reduce((product, length, axis) => product * Math.min(length, scale.size[axis]!), 1);
  if (BigInt(voxels) > most * SMALLEST_MEAN_SUPERVOXEL) {
    throw new GraphError(
      "bad-settings",
      `a chunk of ${chunkSize.join("×")} has ${voxels} voxels, but ids of a graph with ${layers} layers count at most ${most} supervoxels per chunk: ${CHUNK_REMEDY}`,
      { chunkVoxels: voxels, limit: most.toString() },
    );
  }
  return settings;
}
