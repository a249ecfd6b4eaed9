/**
 * The children of an interior node by column. A node can have 2^20 of them in some kilobytes, so none is an object before somebody
 * asks for it.
 * @module
 */
import { DataFileTable } from "./data-file-table.ts";
import type { BtreeNodeReference, DataFileId, IndirectReference, NodePlace } from "./types.ts";

/** u64, exact: as doubles while all are below 2^53. */
export type U64Column = Float64Array | BigUint64Array;

/** What {@link ChildColumn} is made of; all columns have the same length. */
export interface ChildColumns {
  readonly files: readonly DataFileId[];
  /** Index into `files`. */
  readonly fileIndices: Int32Array;
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  readonly numKeys: U64Column;
  readonly numTreeBytes: U64Column;
  readonly numIndirectValueBytes: U64Column;
}

/** References to the children of one node, in the order of their keys: 44 bytes each. */
export class ChildColumn implements Iterable<BtreeNodeReference> {
  readonly length: number;
  /** Of every child. */
  readonly height: number;
  readonly columns: ChildColumns;

  constructor(height: number, columns: ChildColumns) {
    this.length = columns.offsets.length;
    this.height = height;
    this.columns = columns;
  }

  /** The column of some references, which must not be empty trees. */
  static of(height: number, references: Iterable<BtreeNodeReference>): ChildColumn {
    const builder = new ChildColumnBuilder(height);
    for (const reference of references) builder.add(reference);
    return builder.finish();
  }

  /** Reference `index`, made for whoever asks. */
  at(index: number): BtreeNodeReference {
    const { numKeys, numTreeBytes, numIndirectValueBytes } = this.columns;
    const { location, height } = this.placeAt(index);
    return {
      location,
      height,
      statistics: {
        numKeys: BigInt(numKeys[index]!),
        numTreeBytes: BigInt(numTreeBytes[index]!),
        numIndirectValueBytes: BigInt(numIndirectValueBytes[index]!),
      },
    };
  }

  /** Where child `index` lies. */
  placeAt(index: number): NodePlace & { readonly location: IndirectReference } {
    const { files, fileIndices, offsets, lengths } = this.columns;
    const location = { file: files[fileIndices[index]!]!, offset: offsets[index]!, length: lengths[index]! };
    return { location, height: this.height };
  }

  /** The children `start … end`, sharing nothing but the files. */
  slice(start: number, end: number): ChildColumn {
    const { files, fileIndices, offsets, lengths, numKeys, numTreeBytes, numIndirectValueBytes } = this.columns;
    return new ChildColumn(this.height, {
      files,
      fileIndices: fileIndices.slice(start, end),
      offsets: offsets.slice(start, end),
      lengths: lengths.slice(start, end),
      numKeys: numKeys.slice(start, end),
      numTreeBytes: numTreeBytes.slice(start, end),
      numIndirectValueBytes: numIndirectValueBytes.slice(start, end),
    });
  }

  *[Symbol.iterator](): Generator<BtreeNodeReference, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/** Makes a {@link ChildColumn}, one child at a time. */
export class ChildColumnBuilder {
  readonly #height: number;
  readonly #table = new DataFileTable();
  #length = 0;
  #fileIndices = new Int32Array(16);
  #offsets = new Float64Array(16);
  #lengths = new Float64Array(16);
  #numKeys = new BigUint64Array(16);
  #numTreeBytes = new BigUint64Array(16);
  #numIndirectValueBytes = new BigUint64Array(16);

  constructor(height: number) {
    this.#height = height;
  }

  add({ location, statistics }: BtreeNodeReference): void {
    if (location === undefined) throw new RangeError("an interior node cannot have an empty tree as a child");
    const i = this.#length++;
    if (i === this.#offsets.length) this.#grow();
    this.#fileIndices[i] = this.#table.add(location.file);
    this.#offsets[i] = location.offset;
    this.#lengths[i] = location.length;
    this.#numKeys[i] = statistics.numKeys;
    this.#numTreeBytes[i] = statistics.numTreeBytes;
    this.#numIndirectValueBytes[i] = statistics.numIndirectValueBytes;
  }

  finish(): ChildColumn {
    const end = this.#length;
    return new ChildColumn(this.#height, {
      files: this.#table.files,
      fileIndices: this.#fileIndices.subarray(0, end),
      offsets: this.#offsets.subarray(0, end),
      lengths: this.#lengths.subarray(0, end),
      numKeys: this.#numKeys.subarray(0, end),
      numTreeBytes: this.#numTreeBytes.subarray(0, end),
      numIndirectValueBytes: this.#numIndirectValueBytes.subarray(0, end),
    });
  }

  #grow(): void {
    this.#fileIndices = doubled(this.#fileIndices);
    this.#offsets = doubled(this.#offsets);
    this.#lengths = doubled(this.#lengths);
    this.#numKeys = doubled(this.#numKeys);
    this.#numTreeBytes = doubled(this.#numTreeBytes);
    this.#numIndirectValueBytes = doubled(this.#numIndirectValueBytes);
  }
}

function doubled<T extends Int32Array | Float64Array | BigUint64Array>(column: T): T {
  const Column = column.constructor as new (length: number) => T;
  const next = new Column(column.length * 2);
  next.set(column as never);
  return next;
}
