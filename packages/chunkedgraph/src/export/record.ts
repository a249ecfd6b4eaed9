/**
 * How far an export is, kept as `export.json` beside the metadata of its target. It stays there when the export is
 * complete, so that the volume says of which graph and time it is.
 * @module
 */
import { type Generation, type KvStore, readValue } from "@pcg/kvstore";
import { VolumeError } from "@pcg/volume";
import { z } from "zod";
import type { Time } from "../contract.ts";

const KEY = "export.json";
/** Also changes when volumes are dealt out in other parts, as `finished` counts those. */
const VERSION = 1;

export interface ExportRecord {
  readonly graph: string;
  /** Tells the graph from another of the same name. */
  readonly ingestTime: Time;
  /** Of the state that is exported. */
  readonly time: Time;
  readonly status: "running" | "complete";
  /** The first so many parts are written. */
  readonly finished: number;
}

const time = z
  .string()
  .regex(/^\d{1,19}$/, "must be microseconds since the epoch")
  .transform(BigInt);

const schema = z.object({
  version: z.literal(VERSION),
  graph: z.string(),
  ingestTime: time,
  time,
  status: z.literal(["running", "complete"]),
  finished: z.int().min(0),
});

/** @throws VolumeError `BAD_METADATA` when it is there and not what this version writes */
export async function readRecord(store: KvStore, signal: AbortSignal): Promise<ExportRecord | undefined> {
  const bytes = await readValue(store, KEY, { signal });
  if (bytes === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message;
    throw new VolumeError(
      "BAD_METADATA",
      `${KEY} in ${store.url} is no record of an export by this version: ${reason}; choose another place`,
      { url: store.url, key: KEY, cause },
    );
  }
}

/** @param ifGeneration `null`: only if there is none. @returns whether it was written */
export async function writeRecord(
  store: KvStore,
  record: ExportRecord,
  condition: { readonly ifGeneration?: Generation | null } = {},
): Promise<boolean> {
  const { ingestTime, time, ...rest } = record;
  const json = { version: VERSION, ...rest, ingestTime: ingestTime.toString(), time: time.toString() };
  const bytes = new TextEncoder().encode(`${JSON.stringify(json, undefined, 2)}\n`);
  return (await store.write(KEY, bytes, condition)).written;
}

export async function removeRecord(store: KvStore): Promise<void> {
  await store.write(KEY, null);
}
