/**
 * Answers: JSON with exact ids or raw ids, gzip-encoded when that pays and the client takes it.
 * @module
 */
import { acceptsGzip, gzipFast, MIN_GZIP_BYTES } from "./gzip.ts";
import { type JsonOut, stringifyJson } from "./json-write.ts";

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
  const packed = await gzipFast(answer.bytes);
  return new Response(packed as Uint8Array<ArrayBuffer>, { headers: { ...headers, "Content-Encoding": "gzip" } });
}
