/**
 * Volumes in Neuroglancer's precomputed format, over the package `neuroglancer-precomputed`.
 * @module
 */
export { createPrecomputedVolume } from "./precomputed/create-precomputed.ts";
export { openPrecomputedVolume } from "./precomputed/open-precomputed.ts";
