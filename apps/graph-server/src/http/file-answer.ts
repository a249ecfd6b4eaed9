/**
 * Files over HTTP: ranges, validators, compression on the way, and how long they may be kept.
 * @module
 */
import type { ByteRange } from "@pcg/kvstore";
import type { HonoRequest } from "hono";
import { HttpError } from "./errors.ts";
import { acceptsGzip, gzipFast, MIN_GZIP_BYTES } from "./gzip.ts";

export interface FileOptions {
  readonly contentType: string;
  /** Names this very content; without quotes. */
  readonly etag: string;
  /** The address stands for this content for ever. */
  readonly immutable: boolean;
  /** Gzip makes it much smaller. */
  readonly compressible: boolean;
}

/** What the tag of a gzip-encoded answer ends with: other bytes need another tag. */
const GZIP_TAG = "-gzip";

/** A byte range a request asks for, or `undefined` for all; several ranges at once are answered with all. */
export function requestedRange(request: HonoRequest): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(request.header("range")?.trim() ?? "");
  if (match === null) return undefined;
  const [, first, last] = match;
  if (first === "") return last === "" ? undefined : { suffixLength: Number(last) };
  const offset = Number(first);
  if (last === "") return { offset };
  return Number(last) < offset ? undefined : { offset, length: Number(last) - offset + 1 };
}

function fileHeaders(options: FileOptions): Record<string, string> {
  return {
    "Content-Type": options.contentType,
    "Accept-Ranges": "bytes",
    "Cache-Control": options.immutable ? "private, max-age=31536000, immutable" : "no-cache",
    ETag: `"${options.etag}"`,
    ...(options.compressible && { Vary: "Accept-Encoding" }),
  };
}

/** The tag by which the client says that it has this content already, in whichever encoding; without quotes. */
export function knownTag(request: HonoRequest, etag: string): string | undefined {
  const known = (request.header("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes("*")) return etag;
  return [etag, etag + GZIP_TAG].find((tag) => known.includes(`"${tag}"`));
}

/** 304, with the tag that the client knows the content by. */
export function unchanged(options: FileOptions): Response {
  return new Response(null, { status: 304, headers: fileHeaders(options) });
}

/** The whole file, gzip-encoded when that pays and the client takes it, or the part of it that was read for `range`. */
export async function fileResponse(
  request: HonoRequest,
  bytes: Uint8Array,
  range: ByteRange | undefined,
  size: number,
  options: FileOptions,
): Promise<Response> {
  const pays = options.compressible && range === undefined && bytes.length >= MIN_GZIP_BYTES;
  if (pays && acceptsGzip(request.header("accept-encoding"))) {
    const packed = await gzipFast(bytes);
    const headers = {
      ...fileHeaders({ ...options, etag: options.etag + GZIP_TAG }),
      "Content-Encoding": "gzip",
      "Content-Length": String(packed.length),
    };
    return new Response(packed as Uint8Array<ArrayBuffer>, { headers });
  }
  const headers: Record<string, string> = { ...fileHeaders(options), "Content-Length": String(bytes.length) };
  if (range === undefined) return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
  const begin = "suffixLength" in range ? size - bytes.length : range.offset;
  if (bytes.length === 0) {
    throw new HttpError(416, `the file has ${size} bytes; the range asked for lies outside`, {
      headers: { "Content-Range": `bytes */${size}` },
    });
  }
  headers["Content-Range"] = `bytes ${begin}-${begin + bytes.length - 1}/${size}`;
  return new Response(bytes as Uint8Array<ArrayBuffer>, { status: 206, headers });
}
