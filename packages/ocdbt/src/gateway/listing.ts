/**
 * What is directly in a folder of keys, as JSON.
 * @module
 */
import { keyText } from "@pcg/kvstore";
import type { LevelEntry, OcdbtView } from "../contract.ts";
import { GatewayError } from "./errors.ts";

/** Characters that are sent at a time. */
const pieceLength = 65_536;

/**
 * `{"files": [{"name", "size"}], "folders": [name]}`, names relative to the folder and percent-encoded as in URLs, in order of keys. All of one
 * version, however much it is: it is sent as it is read, and breaks off, which leaves no JSON, when that fails. The names of folders are kept in
 * memory until then.
 *
 * @throws {@link GatewayError} 404 when nothing is in it.
 */
export async function folderListing(
  view: OcdbtView,
  folder: Uint8Array,
  request: Request,
  headers: Headers,
): Promise<Response> {
  const entries = view.listLevel(folder, { signal: request.signal })[Symbol.asyncIterator]();
  const first = await entries.next();
  if (first.done && folder.length > 0) {
    throw new GatewayError(404, "not-found", "no key of this version begins with this folder");
  }
  headers.set("Content-Type", "application/json");
  headers.set("Cache-Control", "no-cache");
  if (request.method !== "HEAD") return new Response(streamOf(json(first, entries, folder.length)), { headers });
  await entries.return?.();
  return new Response(null, { headers });
}

async function* json(
  first: IteratorResult<LevelEntry>,
  rest: AsyncIterator<LevelEntry>,
  start: number,
): AsyncGenerator<string, void, undefined> {
  const folders: string[] = [];
  let piece = '{"files":[';
  let comma = "";
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      const entry = next.value;
      if (entry.kind === "prefix") folders.push(encodeName(entry.prefix.subarray(start)));
      else {
        piece += comma + JSON.stringify({ name: encodeName(entry.key.subarray(start)), size: entry.size });
        comma = ",";
      }
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = "";
    }
    yield `${piece}],"folders":${JSON.stringify(folders)}}\n`;
  } finally {
    await rest.return?.();
  }
}

/** Reads on only as the client takes the bytes. */
function streamOf(pieces: AsyncGenerator<string, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await pieces.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Fit to be appended to the URL of the folder. */
function encodeName(name: Uint8Array): string {
  const text = keyText(name);
  if (text !== undefined) return text.split("/").map(encodeURIComponent).join("/");
  let encoded = "";
  for (const byte of name) {
    const char = String.fromCharCode(byte);
    encoded += /[\w.\-~/]/.test(char) && byte < 128 ? char : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return encoded;
}
