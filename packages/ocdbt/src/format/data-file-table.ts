/**
 * The table of data files at the start of a structure. A path is a base path, which the nodes in that file inherit, and a
 * relative one; neighbours share their beginnings.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import type { BodyReader } from "./body-reader.ts";
import type { BodyWriter } from "./body-writer.ts";
import { bytesToPath, MAX_KEY_BYTES, printablePath, staysInside } from "./byte-path.ts";
import type { DataFileId } from "./types.ts";

/** What references of length 0, and the missing root, name. */
export const EMPTY_FILE: DataFileId = { basePath: "", relativePath: "" };

/** Paths of a whole table, characters; far above any real table, below what exhausts memory. */
const MAX_TABLE_CHARACTERS = 2 ** 26;

/** Most files of a table: no structure has more entries that could refer to one. */
const MAX_TABLE_FILES = 2 ** 20;

/** Reads a table; the base path by which the structure was reached is put in front of every path. */
export function readDataFileTable(reader: BodyReader, transitivePath: string): DataFileId[] {
  const count = reader.count("number of data files", 2);
  if (count === 0) return [];
  if (count > MAX_TABLE_FILES) {
    throw reader.corrupt(`its table has ${count} data files, at most ${MAX_TABLE_FILES} are allowed`, { count });
  }
  const prefixLengths = reader.u16Column(count - 1, "path prefix length");
  const suffixLengths = reader.u16Column(count, "path suffix length");
  const baseLengths = reader.u16Column(count, "base path length");
  const limit = MAX_KEY_BYTES - transitivePath.length;
  const files: DataFileId[] = [];
  let path = "";
  let total = 0;
  for (let i = 0; i < count; i++) {
    const prefixLength = i === 0 ? 0 : prefixLengths[i - 1]!;
    const suffixLength = suffixLengths[i]!;
    const baseLength = baseLengths[i]!;
    const previousBase = i === 0 ? 0 : baseLengths[i - 1]!;
    const length = prefixLength + suffixLength;
    if (length > limit) throw reader.corrupt(`path ${i} has ${length} bytes, at most ${limit} are allowed here`);
    if (prefixLength > path.length) {
      throw reader.corrupt(`path ${i} shares ${prefixLength} bytes with the one before, which has ${path.length}`);
    }
    if (baseLength > length) throw reader.corrupt(`path ${i} has ${length} bytes, its base path ${baseLength}`);
    if (prefixLength > Math.min(baseLength, previousBase) && baseLength !== previousBase) {
      throw reader.corrupt(`path ${i} shares ${prefixLength} bytes across different base paths`);
    }
    total += length;
    if (total > MAX_TABLE_CHARACTERS) {
      throw reader.corrupt(`its paths take more than ${MAX_TABLE_CHARACTERS} bytes`);
    }
    const suffix = reader.take(suffixLength, "path suffix");
    path = path.slice(0, prefixLength) + bytesToPath(suffix);
    const full = transitivePath + path;
    if (!staysInside(full)) {
      throw reader.corrupt(`data file ${printablePath(full)} lies outside the database's folder`);
    }
    files.push({ basePath: transitivePath + path.slice(0, baseLength), relativePath: path.slice(baseLength) });
  }
  return files;
}

/** The file at `index`. */
export function fileAt(reader: BodyReader, files: readonly DataFileId[], index: number): DataFileId {
  const file = files[index];
  if (file === undefined) throw reader.corrupt(`data file ${index} is referred to, the table has ${files.length}`);
  return file;
}

/** Collects files, each once, for one structure. */
export class DataFileTable {
  private readonly byObject = new Map<DataFileId, number>();
  private readonly byPath = new Map<string, number>();
  private readonly list: DataFileId[] = [];

  /** Files in the order they were added; {@link write} sorts them. */
  get files(): readonly DataFileId[] {
    return this.list;
  }

  /** Adds a file and gives its handle. */
  add(file: DataFileId): number {
    const known = this.byObject.get(file);
    if (known !== undefined) return known;
    const name = `${file.basePath.length}:${file.basePath}${file.relativePath}`;
    let handle = this.byPath.get(name);
    if (handle === undefined) {
      const length = file.basePath.length + file.relativePath.length;
      if (length > MAX_KEY_BYTES) {
        throw new OcdbtError("too-large", `a data file's path has ${length} bytes, at most ${MAX_KEY_BYTES} fit`, {
          fields: { length, limit: MAX_KEY_BYTES },
        });
      }
      handle = this.list.length;
      this.byPath.set(name, handle);
      this.list.push(file);
    }
    this.byObject.set(file, handle);
    return handle;
  }

  /** Writes the table and gives, for each handle, the index in it. */
  write(writer: BodyWriter): Uint32Array {
    const handles = this.list.map((_, handle) => handle);
    handles.sort((a, b) => compareFiles(this.list[a]!, this.list[b]!));
    const sorted = handles.map((handle) => this.list[handle]!);
    const prefixLengths = sorted.map((file, i) => (i === 0 ? 0 : sharedPrefix(sorted[i - 1]!, file)));
    writer.varint(sorted.length);
    for (let i = 1; i < sorted.length; i++) writer.varint(prefixLengths[i]!);
    for (let i = 0; i < sorted.length; i++) {
      const { basePath, relativePath } = sorted[i]!;
      writer.varint(basePath.length + relativePath.length - prefixLengths[i]!);
    }
    for (const file of sorted) writer.varint(file.basePath.length);
    for (let i = 0; i < sorted.length; i++) {
      const { basePath, relativePath } = sorted[i]!;
      writer.path(basePath + relativePath, prefixLengths[i]!);
    }
    const indices = new Uint32Array(handles.length);
    handles.forEach((handle, index) => {
      indices[handle] = index;
    });
    return indices;
  }
}

function compareFiles(a: DataFileId, b: DataFileId): number {
  if (a.basePath !== b.basePath) return a.basePath < b.basePath ? -1 : 1;
  if (a.relativePath === b.relativePath) return 0;
  return a.relativePath < b.relativePath ? -1 : 1;
}

/** Bytes that may be left out: into the relative paths only when the base paths are the same. */
function sharedPrefix(a: DataFileId, b: DataFileId): number {
  const base = commonLength(a.basePath, b.basePath);
  if (base < a.basePath.length || base < b.basePath.length) return base;
  return base + commonLength(a.relativePath, b.relativePath);
}

function commonLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}
