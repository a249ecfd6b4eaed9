import { constants, lstatSync } from "node:fs";
import { KvStoreError } from "../../errors.ts";
import { openNow } from "../descriptors.ts";
import { systemCode } from "../errors.ts";

/**
 * Opens the file at the path of a lock, to read and write. A link there is nobody's lock, and what it leads to is not to be changed:
 * `unsupported`.
 */
export function openLockFile(path: Buffer, flags = 0): number {
  try {
    return openNow(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | flags, 0o666);
  } catch (cause) {
    if (systemCode(cause) !== "ELOOP" || !lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) throw cause;
    const where = `${path.toString()}, where the lock of a value belongs,`;
    throw new KvStoreError("unsupported", `${where} is a link, which no store makes; remove it`, { cause });
  }
}
