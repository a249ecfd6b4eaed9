import { type KvStore, memoryDriver, openKvStore, withPrefix } from "@pcg/kvstore";
import { memoryRowStore } from "@pcg/rowstore";
import { inlineRunner, type TaskRunner } from "@pcg/tasks";
import { Random } from "@pcg/testkit";
import { openVolumeIn, type Volume, type Xyz } from "@pcg/volume";
import type { Graph } from "../../src/contract.ts";
import { type ExportOptions, type ExportReport, exportObjects, exportTasks } from "../../src/export.ts";
import { openGraph } from "../../src/graph.ts";
import { Place, volumeOf, wholeBox } from "../ingest/harness.ts";

export interface WorldOptions {
  readonly size: Xyz;
  readonly voxelOffset: Xyz;
  /** Of the graph. */
  readonly chunkSize: Xyz;
  readonly seed?: number;
}

/** A graph of random blobs, its labels, and a plain account of which of them make one object. */
export class World {
  readonly graph: Graph;
  readonly place: Place;
  readonly labels: BigUint64Array;
  readonly supervoxels: BigUint64Array;
  /** Current root of each label. */
  readonly rootOf: Map<bigint, bigint>;
  private readonly random: Random;
  private readonly drivers = memoryDriver();

  private constructor(parts: Pick<World, "graph" | "place" | "labels" | "supervoxels" | "rootOf">, random: Random) {
    this.graph = parts.graph;
    this.place = parts.place;
    this.labels = parts.labels;
    this.supervoxels = parts.supervoxels;
    this.rootOf = parts.rootOf;
    this.random = random;
  }

  static async make({ size, voxelOffset, chunkSize, seed = 1 }: WorldOptions): Promise<World> {
    const random = new Random(seed);
    const labels = blobs(random, size);
    const source = await volumeOf(labels, "uint64", size, { voxelOffset, chunkSize: [19, 21, 16] });
    const place = new Place(memoryRowStore());
    const rootOf = new Map<bigint, bigint>();
    const onObject = (label: bigint, root: bigint): void => void rootOf.set(label, root);
    await place.ingest(source, { chunkSize, onObject });
    const volume = await place.openSupervoxels();
    const scale = volume.scales[0]!;
    const supervoxels = (await scale.read(wholeBox(volume))) as BigUint64Array;
    const graph = await openGraph({ rows: place.rows, voxels: scale });
    return new World({ graph, place, labels, supervoxels, rootOf }, random);
  }

  /** The root of each voxel now, by the account. */
  objects(): BigUint64Array {
    return this.labels.map((label) => (label === 0n ? 0n : this.rootOf.get(label)!));
  }

  /** Merges the objects of two neighbouring voxels. */
  async merge(): Promise<void> {
    const objects = this.objects();
    const [sx] = this.graph.settings.size;
    for (;;) {
      const i = this.random.below(objects.length - 1);
      const [a, b] = [objects[i]!, objects[i + 1]!];
      if (a === b || a === 0n || b === 0n || (i + 1) % sx === 0) continue;
      const picks = [this.pick(i), this.pick(i + 1)] as const;
      const { newRoots } = await this.graph.merge({ user: "test", picks });
      for (const [label, root] of this.rootOf) if (root === a || root === b) this.rootOf.set(label, newRoots[0]!);
      return;
    }
  }

  store(name: string): Promise<KvStore> {
    return openKvStore(`memory://exports/${name.replaceAll(" ", "-")}/`, this.drivers);
  }

  /** @param instead stores that tasks get in place of those with the same URL */
  runner(instead: readonly KvStore[] = []): TaskRunner {
    const own = [this.place.supervoxels, ...instead];
    return inlineRunner(
      exportTasks({
        openKvStore: async (url) => {
          const known = own.findLast((store) => store.url === url);
          // Tasks close what they open; these stay ours.
          if (known !== undefined) return { ...withPrefix(known, ""), close: async () => {} };
          return await openKvStore(url, this.drivers);
        },
      }),
    );
  }

  async export(name: string, options: Partial<ExportOptions> = {}): Promise<ExportReport> {
    return await exportObjects({
      graph: this.graph,
      supervoxels: this.place.supervoxels,
      target: await this.store(name),
      format: "neuroglancer-precomputed",
      runner: this.runner(),
      ...options,
    });
  }

  async open(name: string): Promise<Volume> {
    return await openVolumeIn(await this.store(name), undefined);
  }

  /** All voxels of an exported volume. */
  async read(name: string): Promise<BigUint64Array> {
    const volume = await this.open(name);
    return (await volume.scales[0]!.read(wholeBox(volume))) as BigUint64Array;
  }

  private pick(i: number): { readonly id: bigint; readonly position: Xyz } {
    const { size, voxelOffset } = this.graph.settings;
    const voxel = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))];
    const at = (axis: 0 | 1 | 2): number => voxelOffset[axis] + voxel[axis]! + 0.5;
    return { id: this.supervoxels[i]!, position: [at(0), at(1), at(2)] };
  }
}

/** How many voxels differ. */
export function differences(a: BigUint64Array, b: BigUint64Array): number {
  let count = Math.abs(a.length - b.length);
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

/** Every voxel takes the label of its nearest seed; labels are above 2^53, and some seeds are background. */
function blobs(random: Random, size: Xyz): BigUint64Array {
  const seeds = Array.from({ length: 40 }, (_, n) => ({
    at: size.map((length) => random.below(length)),
    label: random.below(6) === 0 ? 0n : 2n ** 60n + BigInt(n % 30),
  }));
  const data = new BigUint64Array(size[0] * size[1] * size[2]);
  for (let i = 0; i < data.length; i++) {
    const voxel = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / (size[0] * size[1]))];
    let best = Number.POSITIVE_INFINITY;
    for (const { at, label } of seeds) {
      const distance = at.reduce((sum, p, axis) => sum + (p - voxel[axis]!) ** 2, 0);
      if (distance >= best) continue;
      best = distance;
      data[i] = label;
    }
  }
  return data;
}
