/**
 * Reading over HTTP(S) and from public Google Cloud Storage buckets, with `fetch` only (Node and browsers).
 * @module
 */
export { httpDriver } from "./http/driver.ts";
export { type HttpDriverOptions, httpKvStore } from "./http/store.ts";
