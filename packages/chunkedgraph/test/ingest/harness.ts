import { createHash } from "node:crypto";
import { type KvStore, memoryKvStore, openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { memoryRowStore, type RowStore } from "@pcg/rowstore";
import { inlineRunner, type TaskRunner } from "@pcg/tasks";
import {
  type Box,
  createVolumeIn,
  type DataType,
  openVolume,
  openVolumeIn,
  type Volume,
  type VoxelArray,
  type Xyz,
} from "@pcg/volume";
import { type IngestChoices, type IngestReport, ingest, voxelTasks } from "../../src/ingest.ts";

/** Memory stores by URL, shared by the main part of an ingest and its tasks. */
export class Place {
  readonly rows: RowStore;
  readonly supervoxels: KvStore;
  readonly scratch: KvStore;
  readonly runner: TaskRunner;
  private readonly stores = new Map<string, KvStore>();

  constructor(rows: RowStore = fixedTimeRows()) {
    this.rows = rows;
    this.supervoxels = this.memory("memory://supervoxels/");
    this.scratch = this.memory("memory://scratch/");
    const open = (url: string): KvStore | Promise<KvStore> => this.stores.get(url) ?? openKvStore(url, fileDriver());
    this.runner = inlineRunner(
      voxelTasks({
        openVolume: async (url) => this.volumes.get(url) ?? openVolume(url, { open }),
        openKvStore: async (url) => open(url),
      }),
    );
  }

  private readonly volumes = new Map<string, Volume>();

  memory(url: string): KvStore {
    const store = memoryKvStore(url);
    this.stores.set(url, store);
    return store;
  }

  ingest(
    source: Volume,
    choices: Partial<IngestChoices> & Partial<Parameters<typeof ingest>[0]> = {},
  ): Promise<IngestReport> {
    this.volumes.set(source.url, source);
    const { rows, supervoxels, scratch, runner } = this;
    return ingest({ name: "test", source, rows, supervoxels, scratch, runner, ...choices });
  }

  openSupervoxels(): Promise<Volume> {
    return openVolumeIn(this.supervoxels, "neuroglancer-precomputed");
  }
}

/** A row store whose clock stands still, so that two ingests can be compared byte by byte. */
export function fixedTimeRows(): RowStore {
  return memoryRowStore({ clock: () => 1_700_000_000_000_000n });
}

/** A real volume in memory with these voxels, x fastest. */
export async function volumeOf(
  data: VoxelArray,
  dataType: DataType,
  size: Xyz,
  place: {
    readonly kind?: "image" | "segmentation";
    readonly voxelOffset?: Xyz;
    readonly resolution?: Xyz;
    readonly chunkSize?: Xyz;
  } = {},
): Promise<Volume> {
  const { kind = "segmentation", voxelOffset = [0, 0, 0], resolution = [8, 8, 40], chunkSize = [32, 32, 32] } = place;
  const format = dataType.startsWith("int") ? "zarr3" : "neuroglancer-precomputed";
  const store = memoryKvStore(`memory://source-${dataType}-${size.join("x")}-${voxelOffset.join("x")}/`);
  const scales = [{ size, resolution, voxelOffset, chunkSize }];
  const volume = await createVolumeIn(store, format, { kind, dataType, scales });
  const end: Xyz = [voxelOffset[0] + size[0], voxelOffset[1] + size[1], voxelOffset[2] + size[2]];
  await volume.scales[0]!.write({ begin: voxelOffset, end }, data);
  return volume;
}

export function wholeBox(volume: Volume): Box {
  const { voxelOffset, size } = volume.scales[0]!;
  return {
    begin: voxelOffset,
    end: [voxelOffset[0] + size[0], voxelOffset[1] + size[1], voxelOffset[2] + size[2]],
  };
}

/** All rows as text, one line per cell. */
export async function dumpRows(rows: RowStore): Promise<string> {
  const hash = createHash("sha256");
  const lines: string[] = [];
  for await (const { key, cells } of rows.read({ ranges: [{ start: new Uint8Array(0) }] })) {
    for (const { family, qualifier, timestamp, value } of cells) {
      const line = [hex(key), family, hex(qualifier), timestamp, hex(value)].join(" ");
      hash.update(line);
      lines.push(line);
    }
  }
  return `${hash.digest("hex")}\n${lines.join("\n")}`;
}

/** All keys and values of a store as text. */
export async function dumpStore(store: KvStore): Promise<string> {
  const lines: string[] = [];
  for await (const { key } of store.list()) {
    const result = await store.read(key);
    lines.push(`${Buffer.from(key).toString()} ${createHash("sha256").update(result!.value).digest("hex")}`);
  }
  return lines.join("\n");
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
