/**
 * A deterministic tissue-like volume with planted errors, to learn, test and measure proofreading with.
 * @module
 */
export { defaultTissue, growTissue, type PlantedError, type Tissue, type TissueOptions } from "./tissue.ts";
export { type WriteOptions, writeTissue } from "./write.ts";
