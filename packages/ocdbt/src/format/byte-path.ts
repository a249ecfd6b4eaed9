/**
 * Byte strings as JavaScript strings: one character (0–255) a byte. Such strings compare with `<` as their bytes do and
 * serve as map keys; text decoding is never involved, so every byte survives.
 * @module
 */

/** Longest key and longest path, bytes. */
export const MAX_KEY_BYTES = 65_535;

/** The bytes of `path`; a key for the base store. */
export function pathToBytes(path: string): Uint8Array {
  const bytes = new Uint8Array(path.length);
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code > 255) {
      throw new RangeError(
        `character ${i} of the path ${JSON.stringify(path)} is no byte; make paths with bytesToPath`,
      );
    }
    bytes[i] = code;
  }
  return bytes;
}

/** The byte string of `bytes`. */
export function bytesToPath(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let path = "";
  for (let i = start; i < end; i += 4096) {
    path += String.fromCharCode.apply(null, bytes.subarray(i, Math.min(end, i + 4096)) as unknown as number[]);
  }
  return path;
}

/** `path` for messages: its text where it is printable, percent escapes elsewhere. */
export function printablePath(path: string): string {
  return path.replace(/[^\x21-\x24\x26-\x7e]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Whether `path` stays below the folder of the database: not absolute, and no segment is `..`. */
export function staysInside(path: string): boolean {
  if (!path.includes("..")) return !path.startsWith("/");
  return !path.startsWith("/") && !path.split("/").includes("..");
}
