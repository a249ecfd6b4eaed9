/**
 * Fresh files beside those whose value they will be: hidden from lists, and known to sweeps as in use as long as they are open.
 * @module
 */
import { closeSync, constants } from "node:fs";
import type { StagedValue } from "../contract.ts";
import { openNow } from "./descriptors.ts";
import { closeFile, syncFile, writeAll } from "./disk.ts";
import type { Locking } from "./lock/locking.ts";
import { temporaryPath } from "./paths.ts";
import { unlinkIfThere } from "./unlink.ts";

/** Freeing more bytes than this, or giving them to the disk, may take long, so renaming and closing then wait aside. */
export const smallBytes: number = 4 << 20;

/** A value in a file of its own, open. */
export interface Temporary {
  readonly file: number;
  readonly path: Buffer;
  readonly size: number;
}

export async function makeTemporary(
  path: Buffer,
  value: Uint8Array,
  { locking, signal }: { readonly locking: Locking; readonly signal?: AbortSignal | undefined },
): Promise<Temporary> {
  const temporary = temporaryPath(path);
  const file = openNow(temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
  const made = { file, path: temporary, size: value.length };
  try {
    // So that sweeps leave it alone; a sweep that was faster makes the rename fail with ENOENT.
    locking.protect(file);
    await writeAll(file, value, signal);
    return made;
  } catch (error) {
    await endTemporary(made, false);
    throw error;
  }
}

/** Closes the file; it goes unless it has got another name. */
export async function endTemporary({ file, path, size }: Temporary, isRenamed: boolean): Promise<void> {
  try {
    if (!isRenamed) unlinkIfThere(path);
  } finally {
    if (size <= smallBytes) closeSync(file);
    else await closeFile(file);
  }
}

/** A temporary file that is durable already. */
export class StagedFile implements StagedValue {
  /** Of the value that it will be. */
  readonly path: Buffer;
  #temporary: Temporary | undefined;

  constructor(path: Buffer, temporary: Temporary) {
    this.path = path;
    this.#temporary = temporary;
  }

  /** The file, for the first who asks. */
  take(): Temporary | undefined {
    const temporary = this.#temporary;
    this.#temporary = undefined;
    return temporary;
  }

  discard(): void {
    const temporary = this.take();
    // Whatever stays is removed as what a killed writer left.
    if (temporary !== undefined) endTemporary(temporary, false).catch(() => {});
  }
}

export async function stageFile(
  path: Buffer,
  value: Uint8Array,
  context: { readonly locking: Locking; readonly signal?: AbortSignal | undefined },
): Promise<StagedFile> {
  const temporary = await makeTemporary(path, value, context);
  try {
    await syncFile(temporary.file);
  } catch (error) {
    await endTemporary(temporary, false);
    throw error;
  }
  return new StagedFile(path, temporary);
}
