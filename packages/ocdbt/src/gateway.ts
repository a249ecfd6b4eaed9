/**
 * Any version of any database over plain HTTP, for readers that know no forks, tags or numbered manifests: as an OCDBT
 * folder that TensorStore and Neuroglancer open, and as plain files.
 *
 * | path | what |
 * |---|---|
 * | `<name>/<version>/ocdbt/` | a folder with `manifest.ocdbt` and the data files: `http://…/<name>/v12/ocdbt/\|ocdbt:` |
 * | `<name>/<version>/files/<key>` | the value of a key |
 * | `<name>/<version>/files/<folder>/` | JSON of all that is directly in it, unless `listings` is off or there is such a key |
 *
 * `<version>` is `head`, `v12`, a time, or a tag. One that is not there, or no more, is 410 and not 404, which stock readers take for an empty
 * database; the message says what is.
 * @module
 */
import { keyText, resolveByteRange } from "@pcg/kvstore";
import type { OcdbtDatabase, OcdbtView } from "./contract.ts";
import { isOcdbtError } from "./errors.ts";
import { answerWith, type Content } from "./gateway/answer.ts";
import { errorResponse, GatewayError, GONE } from "./gateway/errors.ts";
import { folderListing } from "./gateway/listing.ts";
import { manifestFile } from "./gateway/manifest.ts";
import { parseTarget, type Target } from "./gateway/target.ts";
import { listTags } from "./history/tags.ts";

export interface GatewayOptions {
  /** The database of a name, a fork or not; `undefined`: there is none. Asked at every request, so keep what you open. */
  readonly database: (name: string) => OcdbtDatabase | undefined | Promise<OcdbtDatabase | undefined>;
  /** What the paths begin with, from slash to slash; `/` unless told. */
  readonly basePath?: string;
  /** `Access-Control-Allow-Origin`; `*` unless told. */
  readonly allowOrigin?: string;
  /** Whether folders of plain files are listed; they are unless told. */
  readonly listings?: boolean;
  /** Told of what becomes an answer of 500 or more. */
  readonly onError?: (error: unknown, request: Request) => void;
}

/** Most tags that are named to who asks for one that is not there. */
const LISTED_TAGS = 20;

const methods = "GET, HEAD, OPTIONS";

/**
 * A handler of requests, for any server that speaks web-standard `Request` and `Response`. It reads only; errors are JSON,
 * `{"error": {"code", "message"}}`. Bodies take 4 MiB of memory at a time, listings as much as the names of folders in them. Rejects only when the request was aborted.
 *
 * @example
 * const handle = ocdbtGateway({ database: (name) => open.get(name) });
 * const response = await handle(new Request("http://localhost/seg/head/files/info"));
 */
export function ocdbtGateway(options: GatewayOptions): (request: Request) => Promise<Response> {
  const { basePath = "/" } = options;
  if (!basePath.startsWith("/") || !basePath.endsWith("/")) {
    throw new TypeError(`basePath ${JSON.stringify(basePath)} must begin and end with a slash`);
  }
  return async (request) => {
    const headers = new Headers({
      "Access-Control-Allow-Origin": options.allowOrigin ?? "*",
      "Access-Control-Expose-Headers": "Accept-Ranges, Content-Length, Content-Range, ETag",
      "X-Content-Type-Options": "nosniff",
    });
    try {
      return await answer(request, headers, basePath, options);
    } catch (error) {
      request.signal.throwIfAborted();
      const response = errorResponse(error, headers);
      if (response.status >= 500) options.onError?.(error, request);
      if (request.method === "HEAD") return new Response(null, response);
      return response;
    }
  };
}

async function answer(
  request: Request,
  headers: Headers,
  basePath: string,
  options: GatewayOptions,
): Promise<Response> {
  if (request.method === "OPTIONS") {
    headers.set("Access-Control-Allow-Methods", methods);
    headers.set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Range, Cache-Control");
    headers.set("Access-Control-Max-Age", "86400");
    return new Response(null, { status: 204, headers });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new GatewayError(405, "method-not-allowed", `${request.method} is not served; only ${methods}`, {
      Allow: methods,
    });
  }
  const target = parseTarget(new URL(request.url).pathname, basePath);
  const db = await options.database(target.name);
  if (db === undefined) {
    throw new GatewayError(GONE, "not-found", `there is no database ${JSON.stringify(target.name)} here`);
  }
  try {
    return await serve(request, headers, db, target, options);
  } catch (error) {
    throw await withTags(error, target, db, request.signal);
  }
}

async function serve(
  request: Request,
  headers: Headers,
  db: OcdbtDatabase,
  target: Target,
  options: GatewayOptions,
): Promise<Response> {
  if (target.kind === "file") return await answerFile(request, headers, db, target, options.listings ?? true);
  const content =
    target.kind === "data" ? dataFile(db, target.key, request.signal) : await manifest(db, target, request);
  const response = await answerWith(request, content, headers);
  if (response !== undefined) return response;
  throw new GatewayError(404, "not-found", "there is no such data file, or no more");
}

async function manifest(db: OcdbtDatabase, target: Target & { kind: "manifest" }, request: Request): Promise<Content> {
  const { bytes, generation } = await manifestFile(db, target.version, request.signal);
  return {
    type: "application/octet-stream",
    cacheControl: "no-cache",
    async read(range) {
      const { start, end } = resolveByteRange(range, bytes.length);
      return { value: bytes.subarray(start, end), generation, size: bytes.length };
    },
  };
}

/** Of a tag that is not there, what is to be told: the names of those that are, and nothing of where the database lies. */
async function withTags(error: unknown, target: Target, db: OcdbtDatabase, signal: AbortSignal): Promise<unknown> {
  const asked = target.kind === "data" || target.version === "head" ? {} : target.version;
  if (!("tag" in asked) || !isOcdbtError(error, "version-not-found") || !db.parts.store.capabilities.list) return error;
  const names: string[] = [];
  for await (const { name } of listTags(db.parts.store, db.uuid, { signal })) {
    if (name === asked.tag) return error;
    names.push(name);
  }
  const tags = names.slice(0, LISTED_TAGS).join(", ") + (names.length > LISTED_TAGS ? ", …" : "");
  const known = names.length === 0 ? "the database has none" : `tags here are ${tags}`;
  return new GatewayError(GONE, error.code, `there is no tag ${asked.tag}; ${known}`);
}

/** Data files never change: their names are random and used once. */
function dataFile(db: OcdbtDatabase, key: Uint8Array, signal: AbortSignal): Content {
  return {
    type: "application/octet-stream",
    cacheControl: "public, max-age=31536000, immutable",
    read: (range) => db.parts.store.read(key, { range, signal }),
  };
}

async function answerFile(
  request: Request,
  headers: Headers,
  db: OcdbtDatabase,
  { version, key }: Target & { kind: "file" },
  listings: boolean,
): Promise<Response> {
  const { signal } = request;
  const view: OcdbtView = version === "head" ? db : await db.at(version, { signal });
  const content: Content = {
    type: (keyText(key) ?? "").endsWith(".json") ? "application/json" : "application/octet-stream",
    cacheControl: "no-cache",
    read: (range) => view.read(key, { range, signal }),
  };
  const response = await answerWith(request, content, headers);
  if (response !== undefined) return response;
  const isFolder = key.length === 0 || key.at(-1) === 0x2f;
  if (isFolder && listings) return await folderListing(view, key, request, headers);
  throw new GatewayError(404, "not-found", "there is no such key in this version");
}
