/**
 * A graph's settings: fixed when it is made, kept as versioned JSON in the settings row.
 * @module
 */
import type { Xyz } from "@pcg/volume";
import { z } from "zod";
import type { GraphSettings } from "./contract.ts";
import { GraphError } from "./errors.ts";
import { ChunkGrid, IdLayout, layerCount } from "./ids.ts";

/** The row layout this version of the package reads and writes. */
export const SETTINGS_VERSION = 1;

/** Voxels of a chunk: its supervoxels must be countable in 31 bits. */
const MAX_CHUNK_VOXELS = 2 ** 31;
/** Times stay exact as JS numbers, which caches keep them as, until the year 2255. */
const MAX_TIME = 2n ** 53n;

const voxels = z.int();
const positive = z.int().min(1);
const xyz = (axis: z.ZodNumber): z.ZodType<Xyz> => z.tuple([axis, axis, axis]);

const schema = z.strictObject({
  version: z.literal(SETTINGS_VERSION),
  name: z.string().regex(/^[\w.-]{1,128}$/, "must be 1 to 128 letters, digits, '_', '.' or '-'"),
  chunkSize: xyz(positive),
  voxelOffset: xyz(voxels),
  size: xyz(positive),
  // A metre per voxel is coarser than anything imaged; beyond it distances would leave the range of doubles.
  resolution: xyz(z.number().positive().max(1e9)),
  layers: z.int(),
  spatialBits: z.int(),
  connectivity: z.literal([6, 26]),
  splitDisconnected: z.boolean(),
  source: z.string(),
  ingestTime: z.string().regex(/^[1-9]\d{0,18}$/, "must be microseconds since the epoch"),
});

/** Checks settings as a whole. Throws GraphError `bad-settings` naming key, value and limit. */
export function checkSettings(settings: GraphSettings): GraphSettings {
  return parse({ ...settings, ingestTime: settings.ingestTime.toString() });
}

export function encodeSettings(settings: GraphSettings): Uint8Array {
  const checked = checkSettings(settings);
  return new TextEncoder().encode(JSON.stringify({ ...checked, ingestTime: checked.ingestTime.toString() }));
}

export function decodeSettings(bytes: Uint8Array): GraphSettings {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GraphError("bad-settings", "the settings row does not hold JSON", {}, { cause });
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > SETTINGS_VERSION)
    throw new GraphError(
      "bad-settings",
      `the graph has layout version ${version}; this program reads version ${SETTINGS_VERSION}: use a newer program`,
      { version },
    );
  return parse(value);
}

function parse(value: unknown): GraphSettings {
  const result = schema.safeParse(value);
  if (!result.success) {
    const text = result.error.issues.map((i) => `${i.path.join(".") || "settings"}: ${i.message}`).join("; ");
    throw new GraphError("bad-settings", `the graph's settings are not valid: ${text}`, {}, { cause: result.error });
  }
  const settings = { ...result.data, ingestTime: BigInt(result.data.ingestTime) };
  const { size, chunkSize, layers, ingestTime } = settings;
  if (ingestTime >= MAX_TIME)
    throw new GraphError("bad-settings", `ingestTime ${ingestTime} is not below 2^53 microseconds since the epoch`, {
      ingestTime: ingestTime.toString(),
    });
  const chunkVoxels = chunkSize[0] * chunkSize[1] * chunkSize[2];
  if (chunkVoxels > MAX_CHUNK_VOXELS)
    throw new GraphError("bad-settings", `a chunk of ${chunkSize.join("×")} has more than 2^31 voxels`, {
      chunkVoxels,
    });
  const needed = layerCount(size, chunkSize);
  if (layers < needed)
    throw new GraphError(
      "bad-settings",
      `${size.join("×")} voxels in chunks of ${chunkSize.join("×")} need ${needed} layers, not ${layers}`,
      { layers, needed },
    );
  new IdLayout(layers, settings.spatialBits);
  return settings;
}

/** The id layout and the chunk grid of a graph. */
export function gridOf(settings: GraphSettings): ChunkGrid {
  return new ChunkGrid(new IdLayout(settings.layers, settings.spatialBits), settings);
}
