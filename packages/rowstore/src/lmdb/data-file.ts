/**
 * A look at LMDB's data file before LMDB maps it: on a file it cannot open, the native library takes the process down.
 * Checks the two meta pages and that the trees they name lie in the file; pages further down have no checksums.
 * @module
 */
import { access, constants, type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { RowStoreError } from "../errors.ts";

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const NO_PAGE = (1n << 64n) - 1n;
/** Offsets in a meta page. */
const AT = { magic: 24, version: 28, pageSize: 48, freeRoot: 88, mainRoot: 136, transaction: 152, end: 160 };
/** Where older and other LMDB formats have their magic number. */
const OTHER_MAGIC_AT = 16;

/** @throws RowStoreError `NOT_A_ROW_STORE` or `CORRUPT`; what the system says about missing rights is passed on. */
export async function checkDataFile(folder: string): Promise<void> {
  const path = join(folder, "data.mdb");
  for (const name of ["data.mdb", "lock.mdb"])
    await access(join(folder, name), constants.R_OK | constants.W_OK).catch(ignoreAbsent);
  try {
    await lookAt(path);
  } catch (error) {
    // Another process may just have been writing the page; what is damaged stays damaged.
    if (!(error instanceof RowStoreError)) throw error;
    await setTimeout(100);
    await lookAt(path);
  }
}

function ignoreAbsent(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

async function lookAt(path: string): Promise<void> {
  const file = await open(path, "r").catch(ignoreAbsent);
  if (file === undefined) return;
  try {
    const first = await readMeta(file, 0);
    const { size } = await file.stat();
    if (size === 0) return;
    if (first === undefined || first.getUint32(AT.magic, true) !== MAGIC) {
      const other = first?.getUint32(OTHER_MAGIC_AT, true) === MAGIC;
      throw notOurs(path, other ? "is an LMDB database of another format" : "is not an LMDB database");
    }
    const version = first.getUint32(AT.version, true);
    if (version !== DATA_VERSION) throw notOurs(path, `is an LMDB database of format ${version}, not ${DATA_VERSION}`);
    const pageSize = first.getUint32(AT.pageSize, true);
    if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
      throw damaged(path, `has pages of ${pageSize} bytes`);
    const second = await readMeta(file, pageSize);
    if (second === undefined || second.getUint32(AT.magic, true) !== MAGIC)
      throw damaged(path, "lacks its second meta page");
    const newest =
      first.getBigUint64(AT.transaction, true) > second.getBigUint64(AT.transaction, true) ? first : second;
    for (const at of [AT.freeRoot, AT.mainRoot]) {
      const root = newest.getBigUint64(at, true);
      if (root !== NO_PAGE && (root + 1n) * BigInt(pageSize) > BigInt((await file.stat()).size)) {
        throw damaged(path, `ends at byte ${size}, before page ${root} that it refers to`);
      }
    }
  } finally {
    await file.close();
  }
}

async function readMeta(file: FileHandle, offset: number): Promise<DataView | undefined> {
  const page = new Uint8Array(AT.end);
  const { bytesRead } = await file.read(page, 0, AT.end, offset);
  return bytesRead < AT.end ? undefined : new DataView(page.buffer);
}

function notOurs(path: string, what: string): RowStoreError {
  return new RowStoreError(
    "NOT_A_ROW_STORE",
    `${path} ${what}; choose another folder, or restore the file from a backup if it held a row store`,
    { path },
  );
}

function damaged(path: string, what: string): RowStoreError {
  return new RowStoreError("CORRUPT", `${path} is damaged: it ${what}; restore it from a backup`, { path });
}
