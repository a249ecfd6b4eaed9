import type { KvStore } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import type { KvDrivers } from "../open.ts";
import { withPrefix } from "../prefix.ts";
import { badSpec, checkSpecMembers, type KvStoreSpecObject } from "../spec.ts";
import type { UrlBase } from "../url.ts";
import { gsKvStore, type HttpDriverOptions, httpKvStore } from "./store.ts";

/**
 * Driver of `http://`, `https://` and `gs://bucket/path` (public objects, through storage.googleapis.com), and of their specs:
 * `{"driver": "http", "base_url": "https://host/dir?query", "path": "sub/"}` and `{"driver": "gcs", "bucket": "b", "path":
 * "dir/"}`.
 */
export function httpDriver(options: HttpDriverOptions = {}): KvDrivers {
  const openBase = (base: UrlBase): KvStore => openHttp(base, options);
  return {
    http: { openBase, openSpec: (spec) => openHttpSpec(spec, options) },
    https: { openBase },
    gs: { openBase: ({ authority, path }) => gsKvStore(authority, path, options) },
    gcs: { openSpec: (spec) => openGcsSpec(spec, options) },
  };
}

function openHttp(base: UrlBase, options: HttpDriverOptions): KvStore {
  const url = `${base.scheme}://${base.authority}${base.path}${base.query ?? ""}`;
  if (!URL.canParse(url)) {
    throw new KvStoreError("bad-url", `${base.scheme}://${base.authority} is no valid HTTP address`);
  }
  return httpKvStore(url, options);
}

/** The path goes behind that of `base_url`, after one slash; if that has one, only a relative path does, as in TensorStore. */
function openHttpSpec(spec: KvStoreSpecObject, options: HttpDriverOptions): KvStore {
  checkSpecMembers(spec, ["base_url", "headers", "http_request_concurrency", "http_request_retries"]);
  const { base_url: base, headers: lines = [], path = "" } = spec;
  if (typeof base !== "string" || !isHttpUrl(base)) {
    throw badSpec(
      spec,
      `"base_url" must be an http:// or https:// URL of percent-encoded UTF-8 without "#", not ${JSON.stringify(base)}`,
    );
  }
  const headers = { ...options.headers, ...readHeaders(spec, lines) };
  const url = new URL(base);
  if (url.pathname !== "/" && path.startsWith("/")) {
    throw badSpec(
      spec,
      `"path" ${JSON.stringify(path)} begins with a slash, but "base_url" has a path already: ${base}`,
    );
  }
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const whole = path === "" ? url.pathname : `${url.pathname.replace(/\/$/, "")}/${encoded.replace(/^\//, "")}`;
  const end = whole.lastIndexOf("/") + 1;
  url.pathname = whole.slice(0, end);
  const store = httpKvStore(url.href, { ...options, headers });
  return end === whole.length ? store : withPrefix(store, decodeURIComponent(whole.slice(end)));
}

function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || text.includes("#") || !URL.canParse(text)) return false;
  try {
    decodeURIComponent(new URL(text).pathname);
    return true;
  } catch {
    return false;
  }
}

function readHeaders(spec: KvStoreSpecObject, lines: unknown): Record<string, string> {
  if (!Array.isArray(lines)) throw badSpec(spec, '"headers" must be a list of lines "Name: value"');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const match = typeof line === "string" ? /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line) : null;
    // Not shown: it may be a credential.
    if (match === null) throw badSpec(spec, '"headers" has a line that is not of the form "Name: value"');
    headers[match[1]!] = match[2]!;
  }
  return headers;
}

function openGcsSpec(spec: KvStoreSpecObject, options: HttpDriverOptions): KvStore {
  checkSpecMembers(spec, ["bucket", "gcs_request_concurrency", "gcs_request_retries"]);
  const { bucket, path = "" } = spec;
  if (typeof bucket !== "string" || !/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    throw badSpec(spec, `"bucket" must be the name of a bucket, not ${JSON.stringify(bucket)}`);
  }
  const end = path.lastIndexOf("/") + 1;
  const store = gsKvStore(bucket, `/${path.slice(0, end)}`, options);
  return end === path.length ? store : withPrefix(store, path.slice(end));
}
