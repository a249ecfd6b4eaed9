/**
 * Zarr arrays, versions 2 and 3, sharded or not, and OME-NGFF groups of them.
 * @module
 */
export { type CreateZarrOptions, createZarrVolume } from "./zarr/create-zarr.ts";
export { type OpenZarrOptions, openZarrVolume } from "./zarr/open-zarr.ts";
