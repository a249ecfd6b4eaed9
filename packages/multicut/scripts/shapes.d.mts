type Triple = readonly [number, number, number];

export interface Shape {
  readonly name: string;
  readonly size: Triple;
  readonly voxelSize: Triple;
  readonly inside: (x: number, y: number, z: number) => boolean;
  readonly side: (x: number, y: number, z: number) => number;
  readonly seeds: readonly (readonly Triple[])[];
  readonly within: number;
}

export const shapes: readonly Shape[];
export function drawShape(shape: Shape): { mask: Uint8Array; best: Uint8Array };
export function requestOf(
  shape: Shape,
  mask: Uint8Array,
): { mask: Uint8Array; size: Triple; voxelSize: Triple; seeds: Shape["seeds"] };
export function turnShape(shape: Shape, order: Triple): Shape;
