/**
 * The calls that may wait for the disk, as promises on descriptors. Everything else is asked of the system directly: opening, naming,
 * locking and looking at a file whose folder is in memory takes microseconds, and so does handing the kernel a few bytes; going to
 * Node's thread pool and back for it takes many times that, and a pool full of syncs would let a lock wait for them.
 * @module
 */
import { close, fsync, open, read, rename, write, writeSync } from "node:fs";

/** Bytes asked of the system at once; between slabs the signal is looked at. */
const slabBytes = 64 << 20;
/** Up to here, copying into the kernel's memory is quicker than having it done aside. */
const directBytes = 256 << 10;

export function openForReading(path: Buffer, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, (error, file) => (error ? reject(error) : resolve(file)));
  });
}

/** Fills `into` from `position`. @returns how many bytes there were. */
export async function readAll(
  file: number,
  into: Uint8Array,
  position: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  let offset = 0;
  while (offset < into.length) {
    signal?.throwIfAborted();
    const bytesRead = await readOnce(file, into, offset, position + offset);
    if (bytesRead === 0) break;
    offset += bytesRead;
  }
  return offset;
}

export async function writeAll(file: number, value: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  for (let offset = 0; offset < value.length; ) {
    signal?.throwIfAborted();
    const left = value.length - offset;
    offset += left <= directBytes ? writeSync(file, value, offset, left, offset) : await writeOnce(file, value, offset);
  }
}

export function syncFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(file, (error) => (error ? reject(error) : resolve()));
  });
}

export function renameFile(from: Buffer, to: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    rename(from, to, (error) => (error ? reject(error) : resolve()));
  });
}

/** The last close of a file without a name frees its bytes. */
export function closeFile(file: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(file, (error) => (error ? reject(error) : resolve()));
  });
}

function readOnce(file: number, into: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = Math.min(slabBytes, into.length - offset);
    read(file, into, offset, length, position, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead)));
  });
}

function writeOnce(file: number, value: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = Math.min(slabBytes, value.length - offset);
    write(file, value, offset, length, offset, (error, written) => (error ? reject(error) : resolve(written)));
  });
}
