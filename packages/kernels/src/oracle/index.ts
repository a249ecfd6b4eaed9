/**
 * Slow, plain TypeScript versions of the kernels. They state what the fast ones must give and exist for tests only.
 * @module
 */
export { componentStatsOracle, connectedComponentsOracle } from "./components.ts";
export { decodeCompressedSegmentationOracle, encodeCompressedSegmentationOracle } from "./compressed-segmentation.ts";
export { countContactsOracle, countFaceContactsOracle } from "./contacts.ts";
export { distanceTransformOracle } from "./distance-transform.ts";
export { geodesicDistancesOracle } from "./geodesic.ts";
export { gridCutOracle } from "./grid-cut.ts";
export { renumberOracle } from "./renumber.ts";
