/**
 * Files over HTTP: ranges, validators, and how long they may be kept.
 * @module
 */
import type { ByteRange } from "@pcg/kvstore";
import type { HonoRequest } from "hono";
import { HttpError } from "./errors.ts";

export interface FileOptions {
  readonly contentType: string;
  /** Names this very content; without quotes. */
  readonly etag: string;
  /** The address stands for this content for ever. */
  readonly immutable: boolean;
}

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
  };
}

/** Whether the client has this content already. */
export function isUnchanged(request: HonoRequest, etag: string): boolean {
  const header = request.header("if-none-match");
  if (header === undefined) return false;
  return header.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === `"${etag}"`);
}

/** 304. */
export function unchanged(options: FileOptions): Response {
  return new Response(null, { status: 304, headers: fileHeaders(options) });
}

/** The whole file, or the part of it that was read for `range`. */
export function fileResponse(
  bytes: Uint8Array,
  range: ByteRange | undefined,
  size: number,
  options: FileOptions,
): Response {
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
