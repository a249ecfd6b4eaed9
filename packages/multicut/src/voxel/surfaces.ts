/**
 * Where supervoxels of a block have their surfaces, and how much they touch.
 * @module
 */
import { DIRECTIONS, renumber, type Size } from "@pcg/kernels";
import type { Xyz } from "./contract.ts";
import { PointSet } from "./point-set.ts";

/** Surfaces and contacts of the supervoxels asked for. */
export class Surfaces {
  /** Voxels with a neighbour of another label or at the block's end; undefined for ids without voxels in the block. */
  readonly points: ReadonlyMap<bigint, PointSet>;
  private readonly contacts: ReadonlyMap<string, number>;

  /**
   * Reads a block once. Points are physical: voxel of the block × voxelSize, the same frame for all and exact wherever the block
   * lies. Memory while reading: 4 bytes per voxel and 48 per surface voxel.
   */
  constructor(labels: BigUint64Array, size: Size, voxelSize: Xyz, wanted: ReadonlySet<bigint>) {
    const { indices, labels: table } = renumber(labels);
    const asked = Uint8Array.from(table, (id) => (wanted.has(id) ? 1 : 0));
    const points = new Map<number, number[]>();
    const contacts = new Map<string, number>();
    const [sx, sy, sz] = size;
    const ahead = DIRECTIONS.map(([x, y, z]) => x + sx * (y + sy * z));
    const offsets = Int32Array.of(...ahead, ...ahead.map((step) => -step));
    const inBlock = (x: number, y: number, z: number, k: number): boolean => {
      const sign = k < 13 ? 1 : -1;
      const [dx, dy, dz] = DIRECTIONS[k % 13]!;
      const [i, j, l] = [x + sign * dx, y + sign * dy, z + sign * dz];
      return i >= 0 && j >= 0 && l >= 0 && i < sx && j < sy && l < sz;
    };
    for (let z = 0, voxel = 0; z < sz; z++) {
      for (let y = 0; y < sy; y++) {
        for (let x = 0; x < sx; x++, voxel++) {
          const index = indices[voxel]!;
          if (asked[index] === 0) continue;
          const inner = x > 0 && y > 0 && z > 0 && x < sx - 1 && y < sy - 1 && z < sz - 1;
          let surface = !inner;
          for (let k = 0; k < 26; k++) {
            if (!inner && !inBlock(x, y, z, k)) continue;
            const other = indices[voxel + offsets[k]!]!;
            if (other === index) continue;
            surface = true;
            if (other < index || asked[other] === 0) continue;
            const key = `${index},${other}`;
            contacts.set(key, (contacts.get(key) ?? 0) + 1);
          }
          if (!surface) continue;
          let list = points.get(index);
          if (list === undefined) {
            list = [];
            points.set(index, list);
          }
          list.push(x * voxelSize[0], y * voxelSize[1], z * voxelSize[2]);
        }
      }
    }
    this.points = new Map([...points].map(([index, list]) => [table[index]!, new PointSet(Float64Array.from(list))]));
    this.contacts = new Map(
      [...contacts].map(([key, count]) => {
        const [a, b] = key.split(",").map((index) => table[Number(index)]!) as [bigint, bigint];
        return [`${a},${b}`, count];
      }),
    );
  }

  /** How many pairs of voxels of the two are neighbours (of 26). */
  contact(a: bigint, b: bigint): number {
    return this.contacts.get(a < b ? `${a},${b}` : `${b},${a}`) ?? 0;
  }
}
