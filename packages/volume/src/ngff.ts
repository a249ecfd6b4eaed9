/**
 * OME-NGFF metadata, versions 0.4 and 0.5: multiscales and labels, axes, units and transformations. Pure functions.
 * @module
 */
export {
  buildMultiscales,
  type Multiscales,
  type NgffAxis,
  type NgffDataset,
  type NgffVersion,
  parseMultiscales,
} from "./ngff/multiscales.ts";
export { datasetOf, mapAxes, type Placement, placeDataset } from "./ngff/placement.ts";
export { nanometresPerUnit } from "./ngff/units.ts";
