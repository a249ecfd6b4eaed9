/**
 * Reading one file: open, stat and pread on one handle, so that a rename in between does no harm.
 * @module
 */
import { type BigIntStats, closeSync, constants, fstatSync, open, read, stat } from "node:fs";
import { resolveByteRange } from "../byte-range.ts";
import type { AnyReadOptions, ReadResult } from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { systemCode } from "./errors.ts";
import { generationOf, isAbsence } from "./version.ts";

/** Bytes asked of the system at once; between slabs the signal is looked at. */
const slabBytes = 64 << 20;

/**
 * Allocates exactly the bytes asked for; the length comes from the file system. Callbacks instead of `fs/promises`, and the calls
 * on an open file that never wait for the disk made at once: half the time of a small read is going to the thread pool and back.
 */
export async function readFileValue(
  path: Buffer,
  options: AnyReadOptions,
): Promise<ReadResult | "unchanged" | undefined> {
  if (options.ifNotGeneration !== undefined) {
    const stats = await statFile(path);
    if (stats === undefined || stats.isDirectory()) return undefined;
    if (stats.isFile() && generationOf(stats) === options.ifNotGeneration) return "unchanged";
  }
  let file: number;
  try {
    // Not blocking: opening a named pipe would otherwise wait for its writer.
    file = await openFile(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isAbsence(systemCode(error))) return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(file, { bigint: true });
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
      const bytesRead = await readFile(file, value, offset, length, start + offset);
      if (bytesRead === 0) {
        throw new KvStoreError("corrupt", `${path.toString()} shrank from ${size} bytes while it was read in place`);
      }
      offset += bytesRead;
    }
    return { value, generation, size };
  } finally {
    closeSync(file);
  }
}

function openFile(path: Buffer, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, file) => (error ? reject(error) : resolve(file)));
  });
}

function readFile(file: number, into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, into, offset, length, position, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead)));
  });
}

function statFile(path: Buffer): Promise<BigIntStats | undefined> {
  return new Promise((resolve, reject) => {
    stat(path, { bigint: true }, (error, stats) => {
      if (!error) resolve(stats);
      else if (isAbsence(systemCode(error))) resolve(undefined);
      else reject(error);
    });
  });
}
