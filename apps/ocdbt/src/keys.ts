/**
 * Keys on the command line: text, or base64 for keys that are not UTF-8.
 * @module
 */
import { decodeBase64 } from "./base64.ts";
import { UsageError } from "./errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param base64 whether `text` is base64 rather than the key itself */
export function parseKey(text: string, base64: boolean | undefined): Uint8Array {
  if (!base64) return new TextEncoder().encode(text);
  const key = decodeBase64(text);
  if (key === undefined) throw new UsageError(`key ${JSON.stringify(text)} is not base64, as --base64 says`);
  return key;
}

/** `key` when it is valid UTF-8, and `keyBase64` always. */
export function jsonKey(key: Uint8Array): { readonly key?: string; readonly keyBase64: string } {
  const keyBase64 = Buffer.from(key.buffer, key.byteOffset, key.length).toString("base64");
  try {
    return { key: utf8.decode(key), keyBase64 };
  } catch {
    return { keyBase64 };
  }
}
