/**
 * Reading over HTTP(S) and from public Google Cloud Storage buckets, with `fetch` only (Node and browsers).
 * @module
 */
export { type HttpDriverOptions, httpDriver, httpKvStore } from "./http/store.ts";
