/**
 * Whether a row store holds a whole graph.
 * @module
 */
import { type RowStore, readRow } from "@pcg/rowstore";
import type { GraphSettings } from "./contract.ts";
import { GraphError } from "./errors.ts";
import { decodeIngestState, INGEST, ingestKey, SETTINGS, settingsKey } from "./rows/index.ts";
import { decodeSettings } from "./settings.ts";

/** Settings of the graph in a store. @throws GraphError `not-ingested` when there is none, or only part of one. */
export async function readIngestedSettings(rows: RowStore): Promise<GraphSettings> {
  const settings = (await readRow(rows, settingsKey(), { columns: [SETTINGS] }))?.cells[0];
  if (settings === undefined)
    throw new GraphError("not-ingested", "the row store holds no graph: ingest a segmentation first");
  const state = (await readRow(rows, ingestKey(), { columns: [INGEST] }))?.cells[0];
  const status = state === undefined ? "running" : decodeIngestState(state.value).status;
  if (status !== "complete")
    throw new GraphError("not-ingested", "the ingest of this graph is not complete: resume it first", { status });
  return decodeSettings(settings.value);
}
