/**
 * Files that commands read.
 * @module
 */
import { createReadStream } from "node:fs";
import { UsageError } from "./errors.ts";
import type { Surroundings } from "./surroundings.ts";

/** Longest value that is put. */
const MAX_VALUE_BYTES = 1 << 30;

/** All of it; held in memory. @throws UsageError */
export async function readAll(file: string, surroundings: Surroundings): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of openInput(file, surroundings)) {
    length += piece.length;
    if (length > MAX_VALUE_BYTES)
      throw new UsageError(`${file} has more than ${MAX_VALUE_BYTES} bytes, the most a value may have here`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A file, or stdin (`-`). @throws UsageError when it cannot be read */
export async function* openInput(file: string, { input, stop: signal }: Surroundings): AsyncGenerator<Uint8Array> {
  try {
    yield* file === "-" ? input() : (createReadStream(file, { signal }) as AsyncIterable<Uint8Array>);
  } catch (cause) {
    signal.throwIfAborted();
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EISDIR" && code !== "EACCES") throw cause;
    const why = { ENOENT: "there is none", EISDIR: "it is a folder", EACCES: "it may not be read" }[code];
    throw new UsageError(`cannot read the file ${file}: ${why}`);
  }
}
