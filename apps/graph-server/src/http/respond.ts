/**
 * Answers: JSON with exact ids or raw ids, gzip-encoded when that pays and the client takes it.
 * @module
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type JsonOut, stringifyJson } from "./json-write.ts";

const gzipAsync = promisify(gzip);

/** Smaller answers fit into one packet anyway. */
const MIN_GZIP_BYTES = 1400;
/** Ids compress nearly as well at the fastest level, and the client is waiting. */
const GZIP_LEVEL = 1;

/** An answer before it is put on the wire. */
export class Answer {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;

  private constructor(bytes: Uint8Array, contentType: string, headers: Readonly<Record<string, string>>) {
    this.bytes = bytes;
    this.contentType = contentType;
    this.headers = headers;
  }

  static json(
    value: JsonOut,
    options: { idsAsStrings?: boolean; headers?: Readonly<Record<string, string>> } = {},
  ): Answer {
    return new Answer(Buffer.from(stringifyJson(value, options)), "application/json", options.headers ?? {});
  }

  /** Little-endian ids. */
  static ids(ids: BigUint64Array): Answer {
    const bytes = new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength);
    return new Answer(bytes, "application/octet-stream", {});
  }
}

/** @param acceptEncoding the request's header */
export async function toResponse(answer: Answer, acceptEncoding: string | undefined): Promise<Response> {
  const headers = {
    ...answer.headers,
    "Content-Type": answer.contentType,
    "Cache-Control": "no-store",
    Vary: "Accept-Encoding",
  };
  if (answer.bytes.length < MIN_GZIP_BYTES || !acceptsGzip(acceptEncoding)) {
    return new Response(answer.bytes as Uint8Array<ArrayBuffer>, { headers });
  }
  const packed = await gzipAsync(answer.bytes, { level: GZIP_LEVEL });
  return new Response(packed as Uint8Array<ArrayBuffer>, { headers: { ...headers, "Content-Encoding": "gzip" } });
}

/** Whether gzip is at least as welcome as no encoding. Deflate is never used: some clients cannot undo it. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(",")) {
    const [name, ...parameters] = part.split(";").map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith("q="));
    weights.set(name!, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  const gzipWeight = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return gzipWeight > 0 && gzipWeight >= (weights.get("identity") ?? 0);
}
