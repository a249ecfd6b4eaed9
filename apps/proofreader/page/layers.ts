/** The layers of the viewer as Neuroglancer's JSON state describes them. */
import type { Table, Vector } from "./server.ts";

export const imageLayer = "image";
export const groundLayer = "ground";
export const objectsLayer = "all objects";
export const graphLayer = "proofreading";

/** Pages narrower than this show one section at first, and the list of operations beneath it (style.css). */
const narrow = 720;

/** A version of the segmentation: unix seconds as text, or `undefined` for now. */
export type Moment = string | undefined;

export function initialState(base: string, table: Table, moment: Moment, revision: string): object {
  const [x, y, z] = table.resolution;
  return {
    dimensions: { x: [x * 1e-9, "m"], y: [y * 1e-9, "m"], z: [z * 1e-9, "m"] },
    position: table.voxelOffset.map((offset, axis) => offset + table.size[axis as 0] / 2) as Vector,
    crossSectionScale: Math.max(0.25, Math.min(4, Math.max(table.size[0], table.size[1]) / 700)),
    projectionScale:
      Math.max(...table.size.map((size, axis) => (size * table.resolution[axis as 0]) / Math.min(x, y, z))) * 0.9,
    layout: window.innerWidth < narrow ? "xy" : "4panel",
    showDefaultAnnotations: false,
    showSlices: true,
    crossSectionBackgroundColor: "#0c0e11",
    projectionBackgroundColor: "#0c0e11",
    layers: [
      table.image ? { type: "image", name: imageLayer, source: table.image } : groundLayerState(table),
      objectsLayerState(table, moment ?? revision),
      graphLayerState(base, table, moment, []),
    ],
    selectedLayer: { layer: graphLayer, visible: false },
  };
}

/**
 * What lies beneath the objects where there is no image. Neuroglancer blends every layer but the lowest: without a ground the
 * objects would hide the dark behind them, and nothing could stand out before them but by paling the rest.
 */
function groundLayerState(table: Table): object {
  return {
    type: "image",
    name: groundLayer,
    source: { url: table.supervoxels, subsources: { default: true }, enableDefaultSubsources: false },
    shader: "void main() { emitRGB(vec3(0.047, 0.055, 0.067)); }",
    pick: false,
  };
}

/** Every object in its colour, underneath; picking is left to the graph layer. `revision` names one unchanging state. */
export function objectsLayerState(table: Table, revision: string): object {
  return {
    type: "segmentation",
    name: objectsLayer,
    source: {
      url: objectsSource(table, revision),
      subsources: { default: true },
      enableDefaultSubsources: false,
    },
    pick: false,
    // Dimmer than the graph layer, so that selected objects stand out.
    selectedAlpha: table.image ? 0.28 : 0.62,
    saturation: table.image ? 0.75 : 1,
    hoverHighlight: false,
  };
}

export const objectsSource = (table: Table, revision: string): string =>
  table.objects.replace(/(?=~[^/~]*$)/, `@${revision}`);

/** The layer that is edited: selected objects stand out. At an earlier moment it takes no edits. */
export function graphLayerState(base: string, table: Table, moment: Moment, segments: readonly string[]): object {
  const name = moment === undefined ? table.name : `${table.name}@${moment}`;
  return {
    type: "segmentation",
    name: graphLayer,
    source: `graphene://${base}/segmentation/table/${name}`,
    segments,
    ignoreNullVisibleSet: false,
    selectedAlpha: table.image ? 0.55 : 0.95,
    notSelectedAlpha: 0,
    ...(moment === undefined ? { toolBindings: { M: "grapheneMergeSegments" } } : {}),
  };
}

/** The moment a graphene source URL is pinned to. */
export function momentOfSource(url: string): Moment {
  return /\/table\/[^/]*?(?:@|%40)([\d.]+)$/.exec(url)?.[1];
}
