import { createRequire } from "node:module";

/** Of this program, as its package says. */
export const VERSION: string = createRequire(import.meta.url)("../package.json").version;
