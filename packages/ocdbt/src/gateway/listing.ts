/**
 * What is directly in a folder of keys, as JSON.
 * @module
 */
import { keyText } from "@pcg/kvstore";
import type { OcdbtView } from "../contract.ts";
import { GatewayError } from "./errors.ts";

/** Most entries of one answer. */
const maxEntries = 10_000;

/**
 * `{"files": [{"name", "size"}], "folders": [name], "complete"}`, names relative to the folder and percent-encoded as in
 * URLs, in order of keys. `complete` is false when there are more than 10,000.
 *
 * @throws {@link GatewayError} 404 when nothing is in it.
 */
export async function folderListing(
  view: OcdbtView,
  folder: Uint8Array,
  request: Request,
  headers: Headers,
): Promise<Response> {
  const files: { name: string; size: number | undefined }[] = [];
  const folders: string[] = [];
  let complete = true;
  for await (const entry of view.listLevel(folder, { signal: request.signal })) {
    if (files.length + folders.length === maxEntries) {
      complete = false;
      break;
    }
    if (entry.kind === "key") files.push({ name: encodeName(entry.key.subarray(folder.length)), size: entry.size });
    else folders.push(encodeName(entry.prefix.subarray(folder.length)));
  }
  if (files.length + folders.length === 0 && folder.length > 0) {
    throw new GatewayError(404, "not-found", "no key of this version begins with this folder");
  }
  headers.set("Content-Type", "application/json");
  headers.set("Cache-Control", "no-cache");
  const body = `${JSON.stringify({ files, folders, complete })}\n`;
  return new Response(request.method === "HEAD" ? null : body, { headers });
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
