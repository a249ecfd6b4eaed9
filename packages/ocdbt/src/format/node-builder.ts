/**
 * Columns of nodes in the making. Entries come in the order of their keys: new ones one at a time, those of existing nodes
 * copied in runs.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { MAX_INLINE_VALUE_BYTES } from "./btree-node.ts";
import { MAX_KEY_BYTES } from "./byte-path.ts";
import { ChildColumnBuilder } from "./child-column.ts";
import { DataFileTable } from "./data-file-table.ts";
import { commonPrefix } from "./key-column.ts";
import type { BtreeInterior, BtreeLeaf, BtreeNodeReference, IndirectReference, KeyColumn } from "./types.ts";

/** A column that doubles when it is full. */
class Keys {
  length = 0;
  private bytes = new Uint8Array(1024);
  private offsets = new Uint32Array(65);

  /** Adds `prefix` and `source[start … end)` as one key, above all before. */
  add(prefix: Uint8Array, source: Uint8Array, start: number, end: number): void {
    const from = this.offsets[this.length]!;
    const size = prefix.length + end - start;
    if (size > MAX_KEY_BYTES) {
      throw new OcdbtError("too-large", `a key has ${size} bytes, at most ${MAX_KEY_BYTES} fit`, {
        fields: { size, limit: MAX_KEY_BYTES },
      });
    }
    if (from + size > 0xffff_ffff) throw new RangeError("the keys of one node under construction take over 4 GiB");
    if (from + size > this.bytes.length) this.bytes = grown(this.bytes, from + size);
    if (this.length + 2 > this.offsets.length) this.offsets = grown(this.offsets, this.length + 2);
    this.bytes.set(prefix, from);
    const at = from + prefix.length - start;
    if (end - start > 64) this.bytes.set(source.subarray(start, end), from + prefix.length);
    else for (let i = start; i < end; i++) this.bytes[at + i] = source[i]!;
    this.offsets[++this.length] = from + size;
    if (this.length > 1 && !this.ordered()) {
      this.length--;
      throw new RangeError("keys must be added in increasing order, each once");
    }
  }

  finish(): KeyColumn {
    return {
      length: this.length,
      bytes: this.bytes.subarray(0, this.offsets[this.length]!),
      offsets: this.offsets.subarray(0, this.length + 1),
    };
  }

  private ordered(): boolean {
    const { bytes, offsets, length } = this;
    const column: KeyColumn = { length, bytes, offsets };
    const shared = commonPrefix(column, length - 2, length - 1);
    const last = offsets[length - 1]!;
    if (last + shared === offsets[length]) return false;
    const before = offsets[length - 2]!;
    return before + shared === last || bytes[before + shared]! < bytes[last + shared]!;
  }
}

const NO_PREFIX = new Uint8Array(0);

/**
 * Builds the columns of a leaf, or of the row of leaves that `splitNode` parts it into.
 *
 * @example
 * const builder = new LeafBuilder();
 * builder.copy(leaf, 0, at, prefix);
 * builder.add(key, value);
 * builder.copy(leaf, at, leaf.keys.length, prefix);
 * const nodes = await encodeNodes(builder.finish(), config, { mayBeRoot: true });
 */
export class LeafBuilder {
  private readonly keys = new Keys();
  private readonly table = new DataFileTable();
  private valueLengths = new Float64Array(64);
  private valueFiles = new Int32Array(64);
  private valueOffsets = new Float64Array(64);
  private inline = new Uint8Array(1024);
  private inlineBytes = 0;

  get length(): number {
    return this.keys.length;
  }

  /** Adds one entry: bytes are stored in the leaf, a reference points to them. @throws `OcdbtError` `too-large` */
  add(key: Uint8Array, value: Uint8Array | IndirectReference): void {
    if (!(value instanceof Uint8Array)) {
      this.keys.add(NO_PREFIX, key, 0, key.length);
      this.addValue(value.length, this.table.add(value.file), value.offset);
      return;
    }
    if (value.length > MAX_INLINE_VALUE_BYTES) {
      throw new OcdbtError(
        "too-large",
        `an inline value has ${value.length} bytes, at most ${MAX_INLINE_VALUE_BYTES} fit`,
        {
          fields: { size: value.length, limit: MAX_INLINE_VALUE_BYTES },
        },
      );
    }
    this.keys.add(NO_PREFIX, key, 0, key.length);
    this.addInline(value, 0, value.length);
  }

  /** Adds the entries `start … end` of `leaf`, whose keys lack `prefix`. */
  copy(leaf: BtreeLeaf, start: number, end: number, prefix: Uint8Array = NO_PREFIX): void {
    const { keys, valueFiles, valueLengths, valueOffsets } = leaf;
    for (let i = start; i < end; i++) {
      this.keys.add(prefix, keys.bytes, keys.offsets[i]!, keys.offsets[i + 1]!);
      const file = valueFiles[i]!;
      const offset = valueOffsets[i]!;
      if (file >= 0) this.addValue(valueLengths[i]!, this.table.add(leaf.files[file]!), offset);
      else this.addInline(leaf.inline, offset, offset + valueLengths[i]!);
    }
  }

  finish(): BtreeLeaf {
    const { length } = this.keys;
    return {
      height: 0,
      keys: this.keys.finish(),
      files: this.table.files,
      valueLengths: this.valueLengths.subarray(0, length),
      valueFiles: this.valueFiles.subarray(0, length),
      valueOffsets: this.valueOffsets.subarray(0, length),
      inline: this.inline.subarray(0, this.inlineBytes),
    };
  }

  private addInline(source: Uint8Array, start: number, end: number): void {
    const at = this.inlineBytes;
    this.inlineBytes += end - start;
    if (this.inlineBytes > this.inline.length) this.inline = grown(this.inline, this.inlineBytes);
    this.inline.set(source.subarray(start, end), at);
    this.addValue(end - start, -1, at);
  }

  private addValue(length: number, file: number, offset: number): void {
    const index = this.keys.length - 1;
    if (index >= this.valueFiles.length) {
      this.valueLengths = grown(this.valueLengths, index + 1);
      this.valueFiles = grown(this.valueFiles, index + 1);
      this.valueOffsets = grown(this.valueOffsets, index + 1);
    }
    this.valueLengths[index] = length;
    this.valueFiles[index] = file;
    this.valueOffsets[index] = offset;
  }
}

/** Builds the columns of an interior node, or of the row of nodes that `splitNode` parts it into. */
export class InteriorBuilder {
  private readonly height: number;
  private readonly keys = new Keys();
  private subtreePrefixLengths = new Uint16Array(64);
  private readonly children: ChildColumnBuilder;

  /** `height` is that of the node, one above its children's. */
  constructor(height: number) {
    if (!Number.isInteger(height) || height < 1 || height > 255) {
      throw new OcdbtError("too-large", `an interior node has a height from 1 to 255, got ${height}`, {
        fields: { height, limit: 255 },
      });
    }
    this.height = height;
    this.children = new ChildColumnBuilder(height - 1);
  }

  get length(): number {
    return this.keys.length;
  }

  /**
   * Adds one child. `key` is a lower bound of its keys, and `subtreePrefixLength` says how many bytes of it the child
   * leaves out.
   */
  add(key: Uint8Array, subtreePrefixLength: number, child: BtreeNodeReference): void {
    this.keys.add(NO_PREFIX, key, 0, key.length);
    this.addChild(subtreePrefixLength, child);
  }

  /** Adds the entries `start … end` of `node`, whose keys lack `prefix`. */
  copy(node: BtreeInterior, start: number, end: number, prefix: Uint8Array = NO_PREFIX): void {
    const { keys } = node;
    for (let i = start; i < end; i++) {
      this.keys.add(prefix, keys.bytes, keys.offsets[i]!, keys.offsets[i + 1]!);
      this.addChild(prefix.length + node.subtreePrefixLengths[i]!, node.children.at(i));
    }
  }

  finish(): BtreeInterior {
    return {
      height: this.height,
      keys: this.keys.finish(),
      subtreePrefixLengths: this.subtreePrefixLengths.subarray(0, this.keys.length),
      children: this.children.finish(),
    };
  }

  private addChild(subtreePrefixLength: number, child: BtreeNodeReference): void {
    const index = this.keys.length - 1;
    if (index >= this.subtreePrefixLengths.length) {
      this.subtreePrefixLengths = grown(this.subtreePrefixLengths, index + 1);
    }
    this.subtreePrefixLengths[index] = subtreePrefixLength;
    this.children.add(child);
  }
}

function grown<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  column: T,
  least: number,
): T {
  const Column = column.constructor as new (length: number) => T;
  const next = new Column(Math.max(least, column.length * 2));
  next.set(column);
  return next;
}
