/**
 * An immutable run of bytes as an HTTP answer: conditions, ranges, `HEAD`, and bodies that are read a piece at a time.
 * @module
 */
import type { ByteRange, ReadResult } from "@pcg/kvstore";
import { GatewayError } from "./errors.ts";
import { parseRange, type RequestedRange, resolveRange } from "./http-range.ts";

/** What an answer is made from. */
export interface Content {
  /** Part of the bytes, with their generation and the whole size. `undefined`: there are none under this name. */
  read(range: ByteRange): Promise<ReadResult | undefined>;
  readonly type: string;
  readonly cacheControl: string;
}

/** Most bytes of a body in memory at a time. */
const pieceBytes = 4 * 2 ** 20;

/** @returns `undefined` when the content is not there. @throws {@link GatewayError} 416 */
export async function answerWith(request: Request, content: Content, headers: Headers): Promise<Response | undefined> {
  const asked = parseRange(request.headers.get("Range"));
  const opening = await content.read(request.method === "HEAD" ? { offset: 0, length: 0 } : openingRange(asked));
  if (opening === undefined) return undefined;
  const { size, generation } = opening;
  const tag = entityTag(generation);
  headers.set("ETag", tag);
  headers.set("Cache-Control", `${content.cacheControl}, no-transform`);
  headers.set("Accept-Ranges", "bytes");
  if (isListed(request.headers.get("If-None-Match"), tag)) return new Response(null, { status: 304, headers });
  const ifRange = request.headers.get("If-Range");
  const range = ifRange === null || ifRange === tag ? asked : undefined;
  const part = range === undefined ? { start: 0, end: size } : resolveRange(range, size);
  if (part === undefined) {
    const message = `the range ${request.headers.get("Range")} has nothing of these ${size} bytes`;
    throw new GatewayError(416, "range-not-satisfiable", message, { "Content-Range": `bytes */${size}` });
  }
  if (range !== undefined) headers.set("Content-Range", `bytes ${part.start}-${part.end - 1}/${size}`);
  headers.set("Content-Length", String(part.end - part.start));
  headers.set("Content-Type", content.type);
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD") return new Response(null, { status, headers });
  // What was read before the size was known is the beginning of the body, unless `If-Range` made it another one.
  const first = range === asked && !isLongSuffix(asked) ? opening.value.subarray(0, part.end - part.start) : undefined;
  return new Response(bodyOf(content, part, first, generation), { status, headers });
}

/** The first piece of what was asked for. */
function openingRange(asked: RequestedRange | undefined): ByteRange {
  if (asked === undefined) return { offset: 0, length: pieceBytes };
  if ("suffix" in asked) return isLongSuffix(asked) ? { offset: 0, length: 0 } : { suffixLength: asked.suffix };
  const length = asked.last === undefined ? pieceBytes : asked.last - asked.first + 1;
  return { offset: asked.first, length: Math.min(pieceBytes, length) };
}

function isLongSuffix(asked: RequestedRange | undefined): boolean {
  return asked !== undefined && "suffix" in asked && asked.suffix > pieceBytes;
}

/** Reads on only as the client takes the bytes. */
function bodyOf(
  content: Content,
  { start, end }: { readonly start: number; readonly end: number },
  first: Uint8Array | undefined,
  generation: string,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (first !== undefined && first.length === end - start) return first as Uint8Array<ArrayBuffer>;
  let at = start;
  let ready = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = ready ?? (await next(content, at, end, generation));
        ready = undefined;
        at += piece.length;
        controller.enqueue(piece);
        if (at === end) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

async function next(content: Content, at: number, end: number, generation: string): Promise<Uint8Array> {
  const length = Math.min(pieceBytes, end - at);
  const found = await content.read({ offset: at, length });
  // The head of the answer is sent: all that is left is to break off, so that the client sees it is short.
  if (found === undefined || found.generation !== generation || found.value.length !== length) {
    throw new GatewayError(500, "changed", "the content changed while it was sent");
  }
  return found.value;
}

function entityTag(generation: string): string {
  return `"${generation.replace(/[^\w./:=+-]/gu, (c) => encodeURIComponent(c))}"`;
}

function isListed(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === tag);
}
