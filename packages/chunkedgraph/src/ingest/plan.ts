/**
 * What an ingest is going to do, decided and checked before anything is written; and the rule that one graph has one ingest.
 * @module
 */
import { type RowStore, readRow } from "@pcg/rowstore";
import type { Scale, Volume, Xyz } from "@pcg/volume";
import type { GraphSettings } from "../contract.ts";
import { GraphError } from "../errors.ts";
import type { ChunkGrid } from "../ids.ts";
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
import { corrupt } from "../rows/values.ts";
import { decodeSettings, gridOf } from "../settings.ts";
import { chooseScale, newSettings } from "./new-graph.ts";
import type { IngestCounts } from "./report.ts";

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
  if (stored?.status !== "complete") return undefined;
  const { scale, counts } = stored.detail;
  return counts === undefined ? undefined : { settings: stored.settings, scale, counts };
}

interface Stored {
  readonly settings: GraphSettings;
  readonly status: IngestState["status"];
  readonly detail: IngestDetail;
}

async function readStored(rows: RowStore): Promise<Stored | undefined> {
  const [settings, state] = await Promise.all([readRow(rows, settingsKey()), readRow(rows, ingestKey())]);
  if (settings === undefined || state === undefined) return undefined;
  const { status, detail } = decodeIngestState(state.cells[0]!.value);
  const { scale } = (detail ?? {}) as Partial<IngestDetail>;
  if (scale === undefined) throw corrupt("the ingest state does not say which scale was ingested");
  return { settings: decodeSettings(settings.cells[0]!.value), status, detail: detail as IngestDetail };
}

function resumePlan(
  { settings, status, detail }: Stored,
  volume: Volume,
  scale: Scale,
  choices: IngestChoices,
): IngestPlan {
  refuseOther(settings, "source", settings.source, volume.url);
  refuseOther(settings, "size", settings.size, scale.size);
  refuseOther(settings, "voxel offset", settings.voxelOffset, scale.voxelOffset);
  refuseOther(settings, "resolution", settings.resolution, scale.resolution);
  refuseOtherChoices(settings, detail.scale, { ...choices, scale: scale.key });
  const plan = { settings, grid: gridOf(settings), scale };
  if (status === "complete" && detail.counts !== undefined) {
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
