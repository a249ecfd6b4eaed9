/**
 * Connected components by flood fill: the meaning of the fast kernel in the fewest words. For tests.
 * @module
 */
import { type Connectivity, checkLength, type LabelArray, type Size } from "../volume.ts";

/** See `connectedComponents` of `@pcg/kernels/components`. */
export function connectedComponentsOracle(
  labels: LabelArray,
  size: Size,
  connectivity: Connectivity,
): { components: Uint32Array; count: number } {
  checkLength("labels", labels.length, size);
  const [sx, sy, sz] = size;
  const components = new Uint32Array(labels.length);
  const reach = connectivity === 6 ? 1 : 3;
  let count = 0;
  for (let first = 0; first < labels.length; first++) {
    if (components[first] !== 0 || Number(labels[first] !== 0n && labels[first] !== 0) === 0) continue;
    count++;
    components[first] = count;
    const open = [first];
    for (let voxel = open.pop(); voxel !== undefined; voxel = open.pop()) {
      const x = voxel % sx;
      const y = Math.floor(voxel / sx) % sy;
      const z = Math.floor(voxel / (sx * sy));
      for (let k = Math.max(0, z - 1); k <= Math.min(sz - 1, z + 1); k++) {
        for (let j = Math.max(0, y - 1); j <= Math.min(sy - 1, y + 1); j++) {
          for (let i = Math.max(0, x - 1); i <= Math.min(sx - 1, x + 1); i++) {
            if (Math.abs(i - x) + Math.abs(j - y) + Math.abs(k - z) > reach) continue;
            const next = i + sx * (j + sy * k);
            if (components[next] !== 0 || labels[next] !== labels[first]) continue;
            components[next] = count;
            open.push(next);
          }
        }
      }
    }
  }
  return { components, count };
}

/** See `componentStats` of `@pcg/kernels/components`. */
export function componentStatsOracle(
  components: Uint32Array,
  size: Size,
  count: number,
): { voxels: Uint32Array; boxes: Uint32Array; representatives: Uint32Array } {
  checkLength("components", components.length, size);
  const [sx, sy] = size;
  const members: number[][] = Array.from({ length: count }, () => []);
  components.forEach((component, voxel) => {
    if (component !== 0) members[component - 1]!.push(voxel);
  });
  const position = (voxel: number): [number, number, number] => [
    voxel % sx,
    Math.floor(voxel / sx) % sy,
    Math.floor(voxel / (sx * sy)),
  ];
  const boxes = new Uint32Array(count * 6);
  const representatives = new Uint32Array(count);
  members.forEach((voxels, c) => {
    const sum = [0, 0, 0];
    for (let axis = 0; axis < 3; axis++) {
      let low = Number.POSITIVE_INFINITY;
      let high = 0;
      for (const voxel of voxels) {
        const at = position(voxel)[axis]!;
        sum[axis]! += at;
        low = Math.min(low, at);
        high = Math.max(high, at + 1);
      }
      boxes[c * 6 + axis] = low;
      boxes[c * 6 + 3 + axis] = high;
    }
    let nearest = Number.POSITIVE_INFINITY;
    for (const voxel of voxels) {
      const [x, y, z] = position(voxel);
      const dx = x - sum[0]! / voxels.length;
      const dy = y - sum[1]! / voxels.length;
      const dz = z - sum[2]! / voxels.length;
      const distance = dy * dy + dz * dz + dx * dx;
      if (distance >= nearest) continue;
      nearest = distance;
      representatives[c] = voxel;
    }
  });
  return { voxels: Uint32Array.from(members, (voxels) => voxels.length), boxes, representatives };
}
