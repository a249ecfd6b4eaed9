/**
 * Request bodies, read from the raw Node request: clients send JSON with GET, without Content-Type, as text/plain and
 * gzip-encoded, all of which a WHATWG `Request` drops or refuses.
 * @module
 */
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { HttpError } from "./errors.ts";

const gunzipAsync = promisify(gunzip);

/** A refused body is still received and dropped up to here, so that its sender gets to read the 413. */
const DISCARD_BYTES = 2 ** 30;
/** … and for so long. */
const DISCARD_MS = 30_000;

/** Where a body comes from: a socket, or a `Request` given to the app directly. */
export interface BodySource {
  readonly incoming?: IncomingMessage | undefined;
  readonly request: Request;
}

/**
 * The whole body, inflated when it is gzip-encoded.
 * @param limit bytes allowed, before and after inflation
 * @throws HttpError 413 when it is larger (by its Content-Length: before a byte is kept), 400 when it cannot be read
 */
export async function readBody(source: BodySource, limit: number): Promise<Uint8Array> {
  const encoding = (source.request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "x-gzip") {
    throw new HttpError(400, `Content-Encoding "${encoding}" is not supported; send gzip or no encoding`);
  }
  const bytes = source.incoming ? await readIncoming(source.incoming, limit) : await readRequest(source.request, limit);
  return encoding === "identity" ? bytes : inflate(bytes, limit);
}

async function readIncoming(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > limit) {
    await discard(incoming);
    throw tooLarge(`${announced} bytes`, limit);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= limit) {
        chunks.push(chunk);
        return;
      }
      incoming.off("data", onData).off("end", onEnd);
      const refuse = (): void => reject(tooLarge(`more than ${limit} bytes`, limit));
      discard(incoming).then(refuse, refuse);
    };
    const onEnd = (): void => resolve(Buffer.concat(chunks));
    incoming.on("data", onData);
    incoming.once("end", onEnd);
    incoming.once("error", (cause) => reject(new HttpError(400, "the body broke off before its end", { cause })));
  });
}

async function readRequest(request: Request, limit: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limit) throw tooLarge(`${bytes.length} bytes`, limit);
  return bytes;
}

async function inflate(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await gunzipAsync(bytes, { maxOutputLength: limit });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw tooLarge(`more than ${limit} bytes when inflated`, limit);
    }
    throw new HttpError(400, "the body is not gzip as its Content-Encoding says", { cause });
  }
}

/**
 * Drops what is left of a body. On a connection that ends with the answer this waits for the end of the body: closing it
 * under a client that still sends would reset it before the client has read why.
 */
function discard(incoming: IncomingMessage): Promise<void> {
  let left = DISCARD_BYTES;
  incoming.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) incoming.destroy();
  });
  incoming.resume();
  const closes = /\bclose\b/i.test(incoming.headers.connection ?? "");
  if (!closes || incoming.headers.expect !== undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, DISCARD_MS);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    incoming.once("end", done).once("close", done);
  });
}

function tooLarge(size: string, limit: number): HttpError {
  return new HttpError(413, `the body has ${size}; at most ${limit} are taken. Send the ids in several requests`);
}
