/**
 * What an ingest is going to do, decided and checked before anything is written; and the rule that one graph has one ingest.
 * @module
 */
import { type RowStore, readRow } from "@pcg/rowstore";
import type { Scale, Volume, Xyz } from "@pcg/volume";
import type { GraphSettings } from "../contract.ts";
import { GraphError } from "../errors.ts";
import { type ChunkGrid, IdLayout, layerCount } from "../ids.ts";
import {
  decodeIngestState,
  INGEST,
  type IngestState,
  ingestKey,
  ingestMutation,
  SETTINGS,
  settingsKey,
  settingsMutation,
} from "../rows/index.ts";
import { checkSettings, decodeSettings, gridOf, SETTINGS_VERSION } from "../settings.ts";
import { CHUNK_REMEDY, defaultChunkSize } from "./chunk-size.ts";
import type { IngestCounts } from "./report.ts";

/** Wider than most graphs need, as the field's clients expect; more chunks on an axis widen it. */
const DEFAULT_SPATIAL_BITS = 10;

/** Ids need not count as many supervoxels as a chunk has voxels; a chunk that does hold too many is refused when it is read. */
const SMALLEST_MEAN_SUPERVOXEL = 64n;

export interface IngestChoices {
  /** Name of the graph. */
  readonly name: string;
  /** Key of the source's scale; default: the finest. */
  readonly scale?: string;
  /** Voxels per chunk; default: see the report. */
  readonly chunkSize?: Xyz;
  /** Which voxels of a label are one supervoxel: those sharing faces (6), or also edges and corners (26, the default). */
  readonly connectivity?: 6 | 26;
  /** Make each piece of a label an object of its own. Default: a label is one object, its pieces are joined. */
  readonly splitDisconnected?: boolean;
  /** Go on with an unfinished ingest instead of refusing it. Default false. */
  readonly resume?: boolean;
}

export interface IngestPlan {
  readonly settings: GraphSettings;
  readonly grid: ChunkGrid;
  readonly scale: Scale;
  readonly outcome: "new" | "resumed" | "nothing to do";
  /** Present when the ingest is complete. */
  readonly counts?: IngestCounts;
}

/** What is kept in the ingest row beside the status. */
interface IngestDetail {
  readonly scale: string;
  readonly counts?: IngestCounts;
}

/** Reads what the row store holds, compares, and writes the settings of a new graph. */
export async function planIngest(rows: RowStore, volume: Volume, choices: IngestChoices): Promise<IngestPlan> {
  const scale = chooseScale(volume, choices.scale);
  for (;;) {
    const stored = await readStored(rows);
    if (stored !== undefined) return resumePlan(stored, volume, scale, choices);
    const settings = newSettings(volume, scale, choices, await rows.now());
    const { committed } = await rows.transact(
      [
        { key: settingsKey(), when: { kind: "absent", column: SETTINGS } },
        { key: ingestKey(), when: { kind: "absent", column: INGEST } },
      ],
      [settingsMutation(settings), ingestMutation({ status: "running", detail: { scale: scale.key } })],
    );
    if (committed) return { settings, grid: gridOf(settings), scale, outcome: "new" };
  }
}

/** Marks the graph as complete, which opens it. */
export async function completeIngest(rows: RowStore, plan: IngestPlan, counts: IngestCounts): Promise<void> {
  const detail: IngestDetail = { scale: plan.scale.key, counts };
  await rows.mutate([ingestMutation({ status: "complete", detail })]);
}

/** What is known of a complete ingest; `undefined` when there is none. */
export async function readFinished(
  rows: RowStore,
): Promise<{ readonly settings: GraphSettings; readonly scale: string; readonly counts: IngestCounts } | undefined> {
  const stored = await readStored(rows);
  if (stored?.state.status !== "complete") return undefined;
  const { scale, counts } = stored.state.detail as IngestDetail;
  return counts === undefined ? undefined : { settings: stored.settings, scale, counts };
}

interface Stored {
  readonly settings: GraphSettings;
  readonly state: IngestState;
}

async function readStored(rows: RowStore): Promise<Stored | undefined> {
  const [settings, state] = await Promise.all([readRow(rows, settingsKey()), readRow(rows, ingestKey())]);
  if (settings === undefined || state === undefined) return undefined;
  return { settings: decodeSettings(settings.cells[0]!.value), state: decodeIngestState(state.cells[0]!.value) };
}

function resumePlan({ settings, state }: Stored, volume: Volume, scale: Scale, choices: IngestChoices): IngestPlan {
  const detail = state.detail as IngestDetail;
  refuseOther(settings, "source", settings.source, volume.url);
  refuseOther(settings, "size", settings.size, scale.size);
  refuseOther(settings, "voxel offset", settings.voxelOffset, scale.voxelOffset);
  refuseOther(settings, "resolution", settings.resolution, scale.resolution);
  refuseOtherChoices(settings, detail.scale, { ...choices, scale: scale.key });
  const plan = { settings, grid: gridOf(settings), scale };
  if (state.status === "complete" && detail.counts !== undefined) {
    return { ...plan, outcome: "nothing to do", counts: detail.counts };
  }
  if (choices.resume !== true) {
    throw new GraphError(
      "already-ingested",
      `graph "${settings.name}" has an ingest that was not finished: resume it (--resume), or delete its data and begin again`,
      { name: settings.name },
    );
  }
  return { ...plan, outcome: "resumed" };
}

/** Refuses choices that were made otherwise when the graph was ingested; what is left open is as it was then. */
export function refuseOtherChoices(settings: GraphSettings, scale: string, choices: IngestChoices): void {
  refuseOther(settings, "name", settings.name, choices.name);
  refuseOther(settings, "scale", scale, choices.scale);
  refuseOther(settings, "chunk size", settings.chunkSize, choices.chunkSize);
  refuseOther(settings, "connectivity", settings.connectivity, choices.connectivity);
  refuseOther(settings, "splitDisconnected", settings.splitDisconnected, choices.splitDisconnected);
}

function refuseOther(settings: GraphSettings, what: string, there: unknown, wanted: unknown): void {
  if (wanted === undefined || JSON.stringify(there) === JSON.stringify(wanted)) return;
  throw new GraphError(
    "already-ingested",
    `graph "${settings.name}" was ingested with ${what} ${show(there)}, not ${show(wanted)}: ask for what is there, or ingest into another place`,
    { what, there: show(there), wanted: show(wanted) },
  );
}

function show(value: unknown): string {
  return Array.isArray(value) ? value.join("×") : String(value);
}

function chooseScale(volume: Volume, key: string | undefined): Scale {
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

function newSettings(volume: Volume, scale: Scale, choices: IngestChoices, now: bigint): GraphSettings {
  const chunkSize = choices.chunkSize ?? defaultChunkSize(scale.size, scale.chunkSize, scale.resolution);
  if (!chunkSize.every((length) => Number.isSafeInteger(length) && length >= 1)) {
    throw new GraphError("invalid-argument", `chunk size ${chunkSize.join("×")} is not three whole numbers from 1 up`, {
      chunkSize: chunkSize.join(","),
    });
  }
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
