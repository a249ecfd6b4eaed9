/**
 * Shared test helpers; never published.
 * @module
 */
export { publicApi, runReadmeExample } from "./package-guard.ts";
export { Random } from "./random.ts";
export { dataFolder } from "./shared-data.ts";
