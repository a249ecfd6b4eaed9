import { componentStatsOracle, connectedComponentsOracle } from "./oracle/components.ts";
import type { Connectivity, LabelArray, Size } from "./volume.ts";

/** Components of a block. */
export interface Components {
  /** Per voxel its component: 0 where the label is 0, else 1 to `count`, in order of each component's first voxel. */
  readonly components: Uint32Array;
  readonly count: number;
}

/** What {@link componentStats} finds; element c−1 (or 6 of them) belongs to component c. */
export interface ComponentStats {
  /** Voxels of each component. */
  readonly voxels: Uint32Array;
  /** Six per component: x, y, z of the lowest voxel, then one past the highest. */
  readonly boxes: Uint32Array;
  /** Index of the component's voxel nearest to its centre of mass (the first of equals), so always inside it. */
  readonly representatives: Uint32Array;
}

/** Components of equal non-zero label in a block. */
export function connectedComponents(labels: LabelArray, size: Size, connectivity: Connectivity): Components {
  return connectedComponentsOracle(labels, size, connectivity);
}

/** The label of each component: element c−1 is that of component c. */
export function componentLabels<L extends LabelArray>(labels: L, components: Uint32Array, count: number): L {
  const table = new (labels.constructor as new (length: number) => L)(count);
  for (let i = 0; i < components.length; i++) if (components[i] !== 0) table[components[i]! - 1] = labels[i]!;
  return table;
}

/** Voxel count, bounding box and an inner voxel of every component. */
export function componentStats(components: Uint32Array, size: Size, count: number): ComponentStats {
  return componentStatsOracle(components, size, count);
}
