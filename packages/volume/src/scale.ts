import type { ChunkedArray } from "./array/chunked-array.ts";
import { copyBox } from "./array/copy-box.ts";
import type { MemoryLimits } from "./array/limits.ts";
import { type ReadForm, readBox } from "./array/read-box.ts";
import { type Box4, boxVolume, checkBox, formatBox } from "./box.ts";
import type { Box, DataType, LabelArray, ReadBoxOptions, ReadIntoOptions, Scale, VoxelArray, Xyz } from "./contract.ts";
import { checkArrayType } from "./data-type.ts";
import { VolumeError } from "./errors.ts";
import { labelForm } from "./labels.ts";

/** What a scale needs besides its chunks. */
export interface ScalePlace {
  readonly voxelOffset: Xyz;
  /** Nanometres per voxel. */
  readonly resolution: Xyz;
  readonly writable: boolean;
  readonly limits: MemoryLimits;
  /** Address of the volume, for messages. */
  readonly url: string;
}

/** A scale over any chunked array: absolute positions outside, positions from zero inside. */
export class ChunkedScale implements Scale {
  readonly key: string;
  readonly dataType: DataType;
  readonly channels: number;
  readonly size: Xyz;
  readonly voxelOffset: Xyz;
  readonly resolution: Xyz;
  readonly chunkSize: Xyz;
  readonly chunkOrigin: Xyz;
  readonly writeSize: Xyz;
  readonly #array: ChunkedArray;
  readonly #place: ScalePlace;
  readonly #bounds: Box;

  constructor(array: ChunkedArray, place: ScalePlace) {
    const { size, voxelOffset } = { size: xyz(array.size), voxelOffset: place.voxelOffset };
    this.key = array.key;
    this.dataType = array.dataType;
    this.channels = array.size[3];
    this.size = size;
    this.voxelOffset = voxelOffset;
    this.resolution = place.resolution;
    this.chunkSize = xyz(array.chunkSize);
    this.chunkOrigin = voxelOffset;
    this.writeSize = xyz(array.unitSize);
    this.#array = array;
    this.#place = place;
    this.#bounds = {
      begin: voxelOffset,
      end: [voxelOffset[0] + size[0], voxelOffset[1] + size[1], voxelOffset[2] + size[2]],
    };
  }

  async read(box: Box, options: ReadIntoOptions<VoxelArray> = {}): Promise<VoxelArray> {
    return this.#read(box, { dataType: this.dataType, copy: copyBox }, options);
  }

  async readLabels(box: Box, options: ReadIntoOptions<LabelArray> = {}): Promise<LabelArray> {
    return (await this.#read(box, labelForm(this.dataType, box, this.#name()), options)) as LabelArray;
  }

  async write(box: Box, data: VoxelArray, options: ReadBoxOptions = {}): Promise<void> {
    const what = this.#name();
    if (!this.#place.writable) {
      throw new VolumeError("READ_ONLY", `${what} was opened for reading; open the volume with \`writable: true\``, {
        url: this.#place.url,
      });
    }
    const inside = this.#inside(box);
    checkArrayType(data, this.dataType, what);
    this.#checkLength(box, data);
    return this.#array.writeBox(inside, data, this.#place.limits, options.signal);
  }

  #read(box: Box, form: ReadForm, { out, signal }: ReadIntoOptions<VoxelArray>): Promise<VoxelArray> {
    const inside = this.#inside(box);
    if (out !== undefined) {
      checkArrayType(out, form.dataType, `A read of ${this.#name()}`);
      this.#checkLength(box, out);
    }
    return readBox(this.#array, inside, form, this.#place.limits, signal, out);
  }

  #checkLength(box: Box, data: VoxelArray): void {
    const expected = boxVolume(box) * this.channels;
    if (data.length === expected) return;
    throw new RangeError(
      `Box ${formatBox(box)} with ${this.channels} channels takes ${expected} voxels, got an array of ${data.length}`,
    );
  }

  #name(): string {
    return `Scale ${JSON.stringify(this.key)} of ${this.#place.url}`;
  }

  #inside(box: Box): Box4 {
    checkBox(box, this.#bounds, this.#name());
    const [x, y, z] = this.voxelOffset;
    return {
      begin: [box.begin[0] - x, box.begin[1] - y, box.begin[2] - z, 0],
      end: [box.end[0] - x, box.end[1] - y, box.end[2] - z, this.channels],
    };
  }
}

function xyz(value: readonly [number, number, number, number]): Xyz {
  return [value[0], value[1], value[2]];
}
