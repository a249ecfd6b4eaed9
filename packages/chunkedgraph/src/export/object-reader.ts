/**
 * Objects of a box, from supervoxel files and a table of roots. Voxels stay places in a table: each file's own table of
 * labels is looked up, not its voxels.
 *
 * Memory: 4 bytes per voxel of the box, and 4 to 8 of each supervoxel file under way.
 * @module
 */
import { decodeCompressedSegmentationIndexed, type IndexedLabels } from "@pcg/kernels/compressed-segmentation";
import { mapConcurrent } from "@pcg/tasks";
import { type Box, boxSize, boxVolume, type Xyz } from "@pcg/volume";
import type { PrecomputedScale } from "neuroglancer-precomputed";
import { GraphError } from "../errors.ts";
import { halves } from "../ids.ts";
import { IdIndex } from "../view/id-table.ts";
import { concatenate } from "../view/leaves.ts";
import type { RootTable } from "./root-table.ts";

/** Supervoxel files read at once for one box. */
const FILES_AT_ONCE = 4;

/** Voxels as places in a table of roots, which may hold a root several times; 0 is background. */
export interface IndexedObjects {
  /** x fastest. */
  readonly indices: Uint32Array;
  readonly roots: BigUint64Array;
}

export class ObjectReader {
  private readonly scale: PrecomputedScale;
  private readonly url: string;
  private readonly roots: BigUint64Array;
  private readonly places: IdIndex;

  /** @param url of the supervoxel volume, for messages */
  constructor(scale: PrecomputedScale, url: string, table: RootTable) {
    this.scale = scale;
    this.url = url;
    this.roots = table.roots;
    this.places = new IdIndex(table.supervoxels);
  }

  /** @throws GraphError `wrong-voxels`: a file is missing or damaged, or holds a supervoxel that the table has not. */
  async read(box: Box, signal: AbortSignal): Promise<IndexedObjects> {
    const { grid } = this.scale;
    const positions = [...grid.chunks(box)];
    if (positions.length === 1 && boxVolume(grid.chunkBox(positions[0]!)) === boxVolume(box))
      return await this.readFile(positions[0]!, signal);
    const indices = new Uint32Array(boxVolume(box));
    const tables: BigUint64Array[] = [];
    let entries = 0;
    const read = async (position: Xyz, running: { readonly signal: AbortSignal }) => ({
      file: grid.chunkBox(position),
      objects: await this.readFile(position, running.signal),
    });
    for await (const { file, objects } of mapConcurrent(positions, FILES_AT_ONCE, read, { signal })) {
      copyShifted(indices, box, objects.indices, file, entries);
      tables.push(objects.roots);
      entries += objects.roots.length;
    }
    return { indices, roots: concatenate(tables) };
  }

  private async readFile(position: Xyz, signal: AbortSignal): Promise<IndexedObjects> {
    const { indices, table } = this.decode(position, await this.scale.readChunkBytes(position, { signal }));
    return { indices, roots: this.rootsOf(table, position) };
  }

  private decode(position: Xyz, bytes: Uint8Array | undefined): IndexedLabels {
    const { grid, info } = this.scale;
    // The ingest writes a file for every chunk, also for one that is all background.
    if (bytes === undefined) throw this.wrong(position, "is missing");
    try {
      const block = info.compressed_segmentation_block_size!;
      return decodeCompressedSegmentationIndexed(bytes, grid.chunkShape(position), block);
    } catch (cause) {
      throw this.wrong(position, `cannot be decoded: ${(cause as Error).message}`, {}, cause);
    }
  }

  /** The root of each supervoxel of a file's table; entry 0 is the background. */
  private rootsOf(table: BigUint64Array, position: Xyz): BigUint64Array {
    const found = new BigUint64Array(table.length);
    const half = halves(table);
    for (let i = 1; i < table.length; i++) {
      const place = this.places.of(half[2 * i]!, half[2 * i + 1]!);
      if (place < 0) {
        const supervoxel = table[i]!.toString();
        throw this.wrong(position, `holds supervoxel ${supervoxel}, which the graph has not`, { supervoxel });
      }
      found[i] = this.roots[place]!;
    }
    return found;
  }

  private wrong(position: Xyz, what: string, fields: { supervoxel?: string } = {}, cause?: unknown): GraphError {
    const { grid } = this.scale;
    const chunk = grid.chunkName(position);
    return new GraphError(
      "wrong-voxels",
      `chunk ${chunk} of the supervoxels in ${this.url} ${what}: the volume is damaged, or of another graph`,
      { url: this.url, chunk, ...fields },
      cause === undefined ? undefined : { cause },
    );
  }
}

/** Copies the common part of two boxes, adding `shift` to each value. */
function copyShifted(to: Uint32Array, toBox: Box, from: Uint32Array, fromBox: Box, shift: number): void {
  const [tx, ty] = boxSize(toBox);
  const [fx, fy] = boxSize(fromBox);
  const low = (axis: 0 | 1 | 2): number => Math.max(toBox.begin[axis], fromBox.begin[axis]);
  const high = (axis: 0 | 1 | 2): number => Math.min(toBox.end[axis], fromBox.end[axis]);
  const [x, width] = [low(0), high(0) - low(0)];
  for (let z = low(2); z < high(2); z++) {
    for (let y = low(1); y < high(1); y++) {
      const t = x - toBox.begin[0] + tx * (y - toBox.begin[1] + ty * (z - toBox.begin[2]));
      const f = x - fromBox.begin[0] + fx * (y - fromBox.begin[1] + fy * (z - fromBox.begin[2]));
      for (let i = 0; i < width; i++) to[t + i] = from[f + i]! + shift;
    }
  }
}
