/**
 * Reading one file: open, stat and pread on one handle, so that a rename in between does no harm.
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { resolveByteRange } from "../byte-range.ts";
import type { AnyReadOptions, ReadResult } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { systemCode } from "./errors.ts";
import { generationOf, isAbsence } from "./version.ts";

/** Bytes asked of the system at once; between slabs the signal is looked at. */
const slabBytes = 64 << 20;

/** Allocates exactly the bytes asked for; the length comes from the file system. */
export async function readFileValue(
  path: Buffer,
  options: AnyReadOptions,
): Promise<ReadResult | "unchanged" | undefined> {
  let file: FileHandle;
  try {
    // Not blocking: opening a named pipe would otherwise wait for its writer.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isAbsence(systemCode(error))) return undefined;
    throw error;
  }
  try {
    const stats = await file.stat({ bigint: true });
    if (stats.isDirectory()) return undefined;
    if (!stats.isFile()) throw new KvStoreError("unsupported", `${path.toString()} is a device, pipe or socket`);
    const generation = generationOf(stats);
    if (generation === options.ifNotGeneration) return "unchanged";
    const size = Number(stats.size);
    const { start, end } = resolveByteRange(options.range, size);
    const value = new Uint8Array(end - start);
    for (let offset = 0; offset < value.length; ) {
      options.signal?.throwIfAborted();
      const length = Math.min(slabBytes, value.length - offset);
      const { bytesRead } = await file.read(value, offset, length, start + offset);
      if (bytesRead === 0) {
        throw new KvStoreError("corrupt", `${path.toString()} shrank from ${size} bytes while it was read in place`);
      }
      offset += bytesRead;
    }
    return { value, generation, size };
  } finally {
    await file.close();
  }
}
