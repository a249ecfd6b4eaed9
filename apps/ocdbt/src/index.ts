/**
 * The command line `pcg-ocdbt` as a function.
 * @module
 */
export { cli } from "./cli.ts";
export type { Surroundings } from "./surroundings.ts";
