/**
 * The structures of an OCDBT database as values. Paths are byte strings: one JavaScript character (0–255) a byte, so that
 * `<` orders them as bytes and they serve as map keys. Paths in decoded structures are full: the base path of the file
 * that referred to them is already put in front.
 * @module
 */
import type { ChildColumn } from "./child-column.ts";

/** A data file: `basePath + relativePath` is its key in the store; nodes in it refer to others relative to `basePath`. */
export interface DataFileId {
  readonly basePath: string;
  readonly relativePath: string;
}

/** Bytes in a data file. `offset + length` < 2^53 (the format allows 2^63; larger ones are refused). */
export interface IndirectReference {
  readonly file: DataFileId;
  readonly offset: number;
  readonly length: number;
}

/** What a subtree holds; u64, saturating. */
export interface NodeStatistics {
  readonly numKeys: bigint;
  readonly numTreeBytes: bigint;
  readonly numIndirectValueBytes: bigint;
}

/** Where a node lies, and the height it must have; `location` is `undefined` for the empty tree, whose height is 0. */
export interface NodePlace {
  readonly location: IndirectReference | undefined;
  readonly height: number;
}

/** A node, or the root of a tree, and what is below it; nothing in the empty tree. */
export interface BtreeNodeReference extends NodePlace {
  readonly statistics: NodeStatistics;
}

export type ManifestKind = "single" | "numbered";

export type Compression = { readonly id: "zstd"; readonly level: number } | null;

/** Configuration of a database, as TensorStore's `config` JSON but for its case. */
export interface Config {
  /** 16 bytes in hexadecimal. */
  readonly uuid: string;
  readonly manifestKind: ManifestKind;
  readonly maxInlineValueBytes: number;
  /** 0: nodes are never split for their size. */
  readonly maxDecodedNodeBytes: number;
  /** 1–16. */
  readonly versionTreeArityLog2: number;
  readonly compression: Compression;
}

export interface VersionEntry {
  readonly generation: bigint;
  readonly root: BtreeNodeReference;
  /** ns since the epoch. */
  readonly commitTime: bigint;
}

/** Generations (`last` and `numGenerations − 1` more, with gaps) behind one reference. */
export interface VersionNodeReference {
  /** Generation of the last version in the subtree. */
  readonly generation: bigint;
  readonly location: IndirectReference;
  readonly numGenerations: bigint;
  /** Of the first version in the subtree, ns. */
  readonly commitTime: bigint;
  readonly height: number;
  /** Of the node, as of all in one version tree; not stored with the reference. */
  readonly arityLog2: number;
}

export type VersionNode =
  | { readonly arityLog2: number; readonly height: 0; readonly versions: readonly VersionEntry[] }
  | { readonly arityLog2: number; readonly height: number; readonly children: readonly VersionNodeReference[] };

/** The manifest of a version: of a numbered database `manifest.<hex>` has it, and `manifest.ocdbt` the config alone. */
export interface Manifest {
  readonly config: Config;
  /** The newest block, oldest first; never empty but in the `manifest.ocdbt` of a numbered database. */
  readonly versions: readonly VersionEntry[];
  /** Oldest first, as stored: heights strictly decreasing, generations strictly increasing. */
  readonly versionNodes: readonly VersionNodeReference[];
}

/** Byte strings behind one another: key `i` is `bytes[offsets[i] … offsets[i + 1])`. */
export interface KeyColumn {
  readonly length: number;
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/**
 * Columns of a decoded leaf; keys are relative to the prefix by which the node was reached.
 *
 * Memory of leaves and interior nodes: the keys, which the decoder bounds by `maxBytes`; of a leaf the whole body, as `inline` is a part
 * of it; at most 50 bytes an entry, which takes 5 or more in a leaf's body and 10 in an interior node's; and some 200 bytes a data
 * file, which takes 4 or more, of which a node has at most 2^20.
 */
export interface BtreeLeaf {
  readonly height: 0;
  readonly keys: KeyColumn;
  readonly files: readonly DataFileId[];
  /** Length of each value. */
  readonly valueLengths: Float64Array;
  /** Index into `files`, or −1: inline. */
  readonly valueFiles: Int32Array;
  /** Offset in the file, or of an inline value in `inline`. */
  readonly valueOffsets: Float64Array;
  readonly inline: Uint8Array;
}

/** Columns of a decoded interior node; entry keys are inclusive lower bounds of their children. */
export interface BtreeInterior {
  readonly height: number;
  readonly keys: KeyColumn;
  /** Bytes of each entry's key that all keys of its child begin with, and that are not stored in the child. */
  readonly subtreePrefixLengths: Uint16Array;
  readonly children: ChildColumn;
}

export type BtreeNode = BtreeLeaf | BtreeInterior;
