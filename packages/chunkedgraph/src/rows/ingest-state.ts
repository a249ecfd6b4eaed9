/**
 * How far the ingest is. A graph opens for reading and editing when the status is `complete`.
 * @module
 */
import type { Bytes, Column, RowMutation } from "@pcg/rowstore";
import { column, KIND, PRESENT, singletonKey } from "./keys.ts";
import { corrupt, packJson, unpackJson } from "./values.ts";

export interface IngestState {
  readonly status: "running" | "complete";
  /** Whatever the ingest wants to find again: plain JSON. */
  readonly detail?: object;
}

export const INGEST: Column = column("i");

export function ingestKey(): Bytes {
  return singletonKey(KIND.ingest);
}

export function ingestMutation(state: IngestState): RowMutation {
  return { key: ingestKey(), ops: [{ op: "set", column: INGEST, value: packJson(state), timestamp: PRESENT }] };
}

export function decodeIngestState(value: Uint8Array): IngestState {
  const state = unpackJson(value) as Partial<IngestState> | null;
  if (state?.status !== "running" && state?.status !== "complete")
    throw corrupt(`the ingest state has status ${JSON.stringify(state?.status)}`);
  if (state.detail !== undefined && (state.detail === null || typeof state.detail !== "object"))
    throw corrupt(`the ingest state has the detail ${JSON.stringify(state.detail)}`);
  return state as IngestState;
}
