/**
 * B+tree nodes: leaves hold values or references to them, interior nodes references to their children. Everything is
 * stored by column, keys share their beginnings with the key before, and a node leaves out the bytes that its parent's
 * entry says all its keys begin with.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { BodyReader } from "./body-reader.ts";
import { BodyWriter } from "./body-writer.ts";
import { MAX_KEY_BYTES } from "./byte-path.ts";
import { ChildColumn } from "./child-column.ts";
import { DataFileTable, fileAt, readDataFileTable } from "./data-file-table.ts";
import { DEFAULT_MAX_BYTES, type DecodeOptions, describe, openEnvelope, sealEnvelope } from "./envelope.ts";
import { commonPrefix } from "./key-column.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNode, Compression, KeyColumn } from "./types.ts";

/** Most entries of a node. */
export const MAX_NODE_ENTRIES: number = 2 ** 20;

/** Longest value inside a leaf, bytes. */
export const MAX_INLINE_VALUE_BYTES: number = 2 ** 20;

export interface DecodeNodeOptions extends DecodeOptions {
  /** Base path of the file the node lies in, see `DataFileId`. Default none. */
  readonly basePath?: string;
}

/** Decodes a node. Values and keys share memory with what was read. @throws `OcdbtError` */
export async function decodeBtreeNode(bytes: Uint8Array, options: DecodeNodeOptions = {}): Promise<BtreeNode> {
  return decodeBtreeNodeBody(await openEnvelope(bytes, "btreeNode", options), options);
}

/** Decodes what is inside the envelope. @throws `OcdbtError` */
export function decodeBtreeNodeBody(body: Uint8Array, options: DecodeNodeOptions = {}): BtreeNode {
  const reader = new BodyReader(body, describe("btreeNode", options));
  const height = reader.u8("height");
  const files = readDataFileTable(reader, options.basePath ?? "");
  // The least leaf entry takes 4 bytes, of which the first lacks its prefix length.
  const count = reader.count("number of entries", 3);
  if (count === 0) throw reader.corrupt("has no entries");
  if (count > MAX_NODE_ENTRIES) throw reader.corrupt(`has ${count} entries, at most ${MAX_NODE_ENTRIES} are allowed`);
  const prefixLengths = reader.u16Column(count - 1, "key prefix length");
  const suffixLengths = reader.u16Column(count, "key suffix length");
  const subtreePrefixLengths = height === 0 ? undefined : reader.u16Column(count, "subtree prefix length");
  const keys = readKeys(reader, prefixLengths, suffixLengths, options.maxBytes ?? DEFAULT_MAX_BYTES);
  const node: BtreeNode =
    subtreePrefixLengths === undefined
      ? readLeaf(reader, keys, files)
      : readInterior(reader, height, keys, subtreePrefixLengths, files);
  reader.expectEnd();
  return node;
}

function readKeys(
  reader: BodyReader,
  prefixLengths: Uint16Array,
  suffixLengths: Uint16Array,
  maxBytes: number,
): KeyColumn {
  const count = suffixLengths.length;
  const offsets = new Uint32Array(count + 1);
  let total = suffixLengths[0]!;
  let suffixes = total;
  let previous = total;
  offsets[1] = total;
  for (let i = 1; i < count; i++) {
    const prefix = prefixLengths[i - 1]!;
    const length = prefix + suffixLengths[i]!;
    if (prefix > previous) {
      throw reader.corrupt(`key ${i} shares ${prefix} bytes with the one before, which has ${previous}`);
    }
    if (length > MAX_KEY_BYTES)
      throw reader.corrupt(`key ${i} has ${length} bytes, at most ${MAX_KEY_BYTES} are allowed`);
    suffixes += suffixLengths[i]!;
    total += length;
    if (total > maxBytes) {
      throw new OcdbtError("too-large", `${reader.what}: its keys take more than ${maxBytes} bytes; raise maxBytes`, {
        fields: { file: reader.what, maxBytes },
      });
    }
    offsets[i + 1] = total;
    previous = length;
  }
  const source = reader.take(suffixes, "key suffixes");
  const bytes = new Uint8Array(total);
  expandKeys(source, prefixLengths, suffixLengths, bytes);
  checkOrder(reader, bytes, offsets, prefixLengths, count);
  return { length: count, bytes, offsets };
}

/** One pass: each key is the beginning of the one before and its own suffix. */
function expandKeys(
  source: Uint8Array,
  prefixLengths: Uint16Array,
  suffixLengths: Uint16Array,
  target: Uint8Array,
): void {
  let from = 0;
  let to = 0;
  let previous = 0;
  for (let i = 0; i < suffixLengths.length; i++) {
    const start = to;
    const prefix = i === 0 ? 0 : prefixLengths[i - 1]!;
    const suffix = suffixLengths[i]!;
    if (prefix > 128) {
      target.copyWithin(to, previous, previous + prefix);
      to += prefix;
    } else {
      for (let k = 0; k < prefix; k++) target[to++] = target[previous + k]!;
    }
    if (suffix > 128) {
      target.set(source.subarray(from, from + suffix), to);
      to += suffix;
      from += suffix;
    } else {
      for (let k = 0; k < suffix; k++) target[to++] = source[from++]!;
    }
    previous = start;
  }
}

function checkOrder(
  reader: BodyReader,
  bytes: Uint8Array,
  offsets: Uint32Array,
  prefixLengths: Uint16Array,
  count: number,
): void {
  for (let i = 1; i < count; i++) {
    const prefix = prefixLengths[i - 1]!;
    let a = offsets[i - 1]! + prefix;
    let b = offsets[i]! + prefix;
    const endA = offsets[i]!;
    const endB = offsets[i + 1]!;
    while (a < endA && b < endB && bytes[a] === bytes[b]) {
      a++;
      b++;
    }
    if (b === endB || (a < endA && bytes[a]! > bytes[b]!)) throw reader.corrupt(`key ${i} is not above the one before`);
  }
}

function readLeaf(reader: BodyReader, keys: KeyColumn, files: BtreeLeaf["files"]): BtreeLeaf {
  const count = keys.length;
  const valueLengths = reader.sizeColumn(count, "value length");
  const kinds = reader.take(count, "value kinds");
  const valueFiles = new Int32Array(count).fill(-1);
  const valueOffsets = new Float64Array(count);
  let indirect = 0;
  let inlineBytes = 0;
  for (let i = 0; i < count; i++) {
    if (kinds[i] === 1) {
      indirect++;
      continue;
    }
    if (kinds[i] !== 0)
      throw reader.corrupt(`value ${i} is of kind ${kinds[i]}, known are 0 (inline) and 1 (indirect)`);
    const length = valueLengths[i]!;
    if (length > MAX_INLINE_VALUE_BYTES) {
      throw reader.corrupt(`inline value ${i} has ${length} bytes, at most ${MAX_INLINE_VALUE_BYTES} are allowed`);
    }
    valueOffsets[i] = inlineBytes;
    inlineBytes += length;
  }
  const fileColumn = reader.sizeColumn(indirect, "data file of a value");
  const offsetColumn = reader.sizeColumn(indirect, "offset of a value");
  for (let i = 0, k = 0; i < count; i++) {
    if (kinds[i] === 0) continue;
    const file = fileColumn[k]!;
    if (file >= files.length) fileAt(reader, files, file);
    checkExtent(reader, offsetColumn[k]!, valueLengths[i]!);
    valueFiles[i] = file;
    valueOffsets[i] = offsetColumn[k++]!;
  }
  const values = reader.take(inlineBytes, "inline values");
  // A part would keep the whole body in memory.
  const inline = inlineBytes * 2 > reader.bytes.length ? values : values.slice();
  return { height: 0, keys, files, valueLengths, valueFiles, valueOffsets, inline };
}

function readInterior(
  reader: BodyReader,
  height: number,
  keys: KeyColumn,
  subtreePrefixLengths: Uint16Array,
  files: BtreeLeaf["files"],
): BtreeInterior {
  const count = keys.length;
  for (let i = 0; i < count; i++) {
    const length = keys.offsets[i + 1]! - keys.offsets[i]!;
    if (subtreePrefixLengths[i]! > length) {
      throw reader.corrupt(
        `entry ${i} claims a subtree prefix of ${subtreePrefixLengths[i]} bytes of its key's ${length}`,
      );
    }
  }
  const fileColumn = reader.sizeColumn(count, "data file of a child");
  const offsets = reader.sizeColumn(count, "offset of a child");
  const lengths = reader.sizeColumn(count, "length of a child");
  const numKeys = reader.u64Column(count, "number of keys");
  const numTreeBytes = reader.u64Column(count, "number of tree bytes");
  const numIndirectValueBytes = reader.u64Column(count, "number of value bytes");
  const fileIndices = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    checkExtent(reader, offsets[i]!, lengths[i]!);
    const file = fileColumn[i]!;
    if (file >= files.length) fileAt(reader, files, file);
    fileIndices[i] = file;
  }
  const children = new ChildColumn(height - 1, {
    files,
    fileIndices,
    offsets,
    lengths,
    numKeys,
    numTreeBytes,
    numIndirectValueBytes,
  });
  return { height, keys, subtreePrefixLengths, children };
}

function checkExtent(reader: BodyReader, offset: number, length: number): void {
  if (offset + length <= Number.MAX_SAFE_INTEGER) return;
  throw reader.unsafe("the end of a reference", BigInt(offset) + BigInt(length));
}

export interface EncodeNodeOptions {
  readonly compression: Compression;
  /** Entries to encode. Default all. */
  readonly start?: number;
  readonly end?: number;
  /** Leading bytes of every key to leave out, see `excludedPrefix`. Default 0, as of a root. */
  readonly excluded?: number;
}

/** Encodes entries of `node` as TensorStore does: in canonical numbers, with a sorted table of the files in use. */
export async function encodeBtreeNode(node: BtreeNode, options: EncodeNodeOptions): Promise<Uint8Array> {
  return await sealEnvelope("btreeNode", encodeBtreeNodeBody(node, options), options.compression);
}

/** What {@link encodeBtreeNode} puts in the envelope. */
export function encodeBtreeNodeBody(node: BtreeNode, options: Omit<EncodeNodeOptions, "compression"> = {}): Uint8Array {
  const { start = 0, end = node.keys.length, excluded = 0 } = options;
  if (end <= start || end - start > MAX_NODE_ENTRIES) {
    throw new RangeError(`a node has 1 to ${MAX_NODE_ENTRIES} entries, got ${end - start}`);
  }
  const writer = new BodyWriter(4096);
  writer.u8(node.height);
  if ("children" in node) writeInterior(writer, node, start, end, excluded);
  else writeLeaf(writer, node, start, end, excluded);
  return writer.finish();
}

function writeLeaf(writer: BodyWriter, leaf: BtreeLeaf, start: number, end: number, excluded: number): void {
  const { valueFiles, valueLengths, valueOffsets, files, inline } = leaf;
  const table = new DataFileTable();
  const handles = new Int32Array(files.length).fill(-1);
  for (let i = start; i < end; i++) {
    const file = valueFiles[i]!;
    if (file >= 0 && handles[file] === -1) handles[file] = table.add(files[file]!);
  }
  const indices = table.write(writer);
  writer.varint(end - start);
  const shared = writeKeyLengths(writer, leaf.keys, start, end, excluded);
  writeKeySuffixes(writer, leaf.keys, start, shared);
  for (let i = start; i < end; i++) writer.varint(valueLengths[i]!);
  for (let i = start; i < end; i++) writer.u8(valueFiles[i]! < 0 ? 0 : 1);
  for (let i = start; i < end; i++) {
    const file = valueFiles[i]!;
    if (file >= 0) writer.varint(indices[handles[file]!]!);
  }
  for (let i = start; i < end; i++) if (valueFiles[i]! >= 0) writer.varint(valueOffsets[i]!);
  for (let i = start; i < end; i++) {
    if (valueFiles[i]! >= 0) continue;
    const offset = valueOffsets[i]!;
    writer.slice(inline, offset, offset + valueLengths[i]!);
  }
}

function writeInterior(writer: BodyWriter, node: BtreeInterior, start: number, end: number, excluded: number): void {
  const { children, subtreePrefixLengths } = node;
  const { files, fileIndices, offsets, lengths, numKeys, numTreeBytes, numIndirectValueBytes } = children.columns;
  const table = new DataFileTable();
  const handles = new Int32Array(files.length).fill(-1);
  for (let i = start; i < end; i++) {
    const file = fileIndices[i]!;
    if (handles[file] === -1) handles[file] = table.add(files[file]!);
  }
  const indices = table.write(writer);
  writer.varint(end - start);
  const shared = writeKeyLengths(writer, node.keys, start, end, excluded);
  for (let i = start; i < end; i++) writer.varint(subtreePrefixLengths[i]! - excluded);
  writeKeySuffixes(writer, node.keys, start, shared);
  for (let i = start; i < end; i++) writer.varint(indices[handles[fileIndices[i]!]!]!);
  for (let i = start; i < end; i++) writer.varint(offsets[i]!);
  for (let i = start; i < end; i++) writer.varint(lengths[i]!);
  for (const column of [numKeys, numTreeBytes, numIndirectValueBytes]) writer.u64Column(column, start, end);
}

/** Writes the key length columns; gives what each key shares with the one before, for {@link writeKeySuffixes}. */
function writeKeyLengths(
  writer: BodyWriter,
  keys: KeyColumn,
  start: number,
  end: number,
  excluded: number,
): Uint16Array {
  const shared = new Uint16Array(end - start);
  shared[0] = excluded;
  for (let i = start + 1; i < end; i++) {
    const length = commonPrefix(keys, i - 1, i);
    shared[i - start] = length;
    writer.varint(length - excluded);
  }
  for (let i = start; i < end; i++) {
    writer.varint(keys.offsets[i + 1]! - keys.offsets[i]! - shared[i - start]!);
  }
  return shared;
}

function writeKeySuffixes(writer: BodyWriter, keys: KeyColumn, start: number, shared: Uint16Array): void {
  for (let i = 0; i < shared.length; i++) {
    writer.slice(keys.bytes, keys.offsets[start + i]! + shared[i]!, keys.offsets[start + i + 1]!);
  }
}
