/**
 * Opening files when the process, or the machine, has no descriptor left: files that are open only to save time are closed for it.
 * @module
 */
import { openSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** Each closes what its owner can do without, and tells whether there was anything. */
const owners: (() => boolean)[] = [];

/** Says how to close files that are open only to save time. */
export function closeWhenScarce(close: () => boolean): void {
  owners.push(close);
}

/** Whether a file could not be opened because too many are. */
export function isScarcity(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EMFILE" || code === "ENFILE";
}

/** Closes all files that are open only to save time. @returns whether there were any. */
export function closeSpareFiles(): boolean {
  let isAny = false;
  for (const close of owners) isAny = close() || isAny;
  return isAny;
}

export function openNow(path: Buffer, flags: number, mode?: number): number {
  try {
    return openSync(path, flags, mode);
  } catch (error) {
    if (!isScarcity(error) || !closeSpareFiles()) throw error;
    return openSync(path, flags, mode);
  }
}

/** Does what opens a file for itself. */
export async function openAside<T>(open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!isScarcity(error) || !closeSpareFiles()) throw error;
    return await open();
  }
}
