import { createRequire } from "node:module";

/** Of this server, as its package says. */
export const SERVER_VERSION: string = createRequire(import.meta.url)("../package.json").version;

/** The PyChunkedGraph release whose HTTP interface we keep to; CAVEclient hides methods from servers it deems older. */
export const API_VERSION = "3.1.7";
