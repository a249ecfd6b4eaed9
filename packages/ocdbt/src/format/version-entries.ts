/**
 * The columns that name versions and version-tree nodes, shared by manifest and version-tree nodes, and the rules by which
 * generations are laid out: aligned blocks of `2^arityLog2`, blocks of blocks above them.
 * @module
 */
import { type BodyReader, sizeOf } from "./body-reader.ts";
import type { BodyWriter } from "./body-writer.ts";
import { type DataFileTable, EMPTY_FILE, fileAt } from "./data-file-table.ts";
import type { DataFileId, IndirectReference, VersionEntry, VersionNodeReference } from "./types.ts";

const MISSING = (1n << 64n) - 1n;

/** Least bytes of a version, and of a reference to a version-tree node. */
const VERSION_BYTES = 16;
const REFERENCE_BYTES = 13;

/** Greatest height of a version-tree node. */
export function maxVersionTreeHeight(arityLog2: number): number {
  return Math.floor(63 / arityLog2) - 1;
}

/** Reads the versions of one block. */
export function readVersions(reader: BodyReader, files: readonly DataFileId[], arityLog2: number): VersionEntry[] {
  const count = reader.count("number of versions", VERSION_BYTES);
  const most = 2 ** arityLog2;
  if (count < 1 || count > most)
    throw reader.corrupt(`holds ${count} versions, from 1 to ${most} are allowed`, { count });
  const generations = reader.bigints(count, "generation");
  checkVersionGenerations(reader, generations, arityLog2);
  const heights = reader.take(count, "root heights");
  const locations = readLocations(reader, files, count, true);
  const numKeys = reader.bigints(count, "number of keys");
  const numTreeBytes = reader.bigints(count, "number of tree bytes");
  const numIndirectValueBytes = reader.bigints(count, "number of value bytes");
  return generations.map((generation, i) => ({
    generation,
    root: {
      location: locations[i],
      height: heights[i]!,
      statistics: {
        numKeys: numKeys[i]!,
        numTreeBytes: numTreeBytes[i]!,
        numIndirectValueBytes: numIndirectValueBytes[i]!,
      },
    },
    commitTime: reader.u64Fixed("commit time"),
  }));
}

export function writeVersions(writer: BodyWriter, table: WrittenTable, versions: readonly VersionEntry[]): void {
  writer.varint(versions.length);
  for (const version of versions) writer.varint64(version.generation);
  for (const version of versions) writer.u8(version.root.height);
  for (const { root } of versions) writer.varint(table.indexOf(root.location?.file ?? EMPTY_FILE));
  for (const { root } of versions)
    writer.varint64(root.location === undefined ? MISSING : BigInt(root.location.offset));
  for (const { root } of versions)
    writer.varint64(root.location === undefined ? MISSING : BigInt(root.location.length));
  for (const { root } of versions) writer.varint64(root.statistics.numKeys);
  for (const { root } of versions) writer.varint64(root.statistics.numTreeBytes);
  for (const { root } of versions) writer.varint64(root.statistics.numIndirectValueBytes);
  for (const version of versions) writer.u64Fixed(version.commitTime);
}

/** Reads references to version-tree nodes; a `height` "stored" stands for the column that only a manifest has. */
export function readVersionNodeReferences(
  reader: BodyReader,
  files: readonly DataFileId[],
  arityLog2: number,
  height: number | "stored",
): VersionNodeReference[] {
  const count = reader.count(
    "number of version-tree nodes",
    height === "stored" ? REFERENCE_BYTES + 1 : REFERENCE_BYTES,
  );
  // A manifest has one reference a height.
  const most = height === "stored" ? maxVersionTreeHeight(arityLog2) + 1 : 2 ** arityLog2;
  if (count > most) throw reader.corrupt(`holds ${count} version-tree nodes, at most ${most} are allowed`, { count });
  const generations = reader.bigints(count, "generation");
  const locations = readLocations(reader, files, count, false);
  const numGenerations = reader.bigints(count, "number of generations");
  const commitTimes = generations.map(() => reader.u64Fixed("commit time"));
  const heights = height === "stored" ? reader.take(count, "heights") : undefined;
  return generations.map((generation, i) => ({
    generation,
    location: locations[i]!,
    numGenerations: numGenerations[i]!,
    commitTime: commitTimes[i]!,
    height: heights?.[i] ?? (height as number),
    arityLog2,
  }));
}

export function writeVersionNodeReferences(
  writer: BodyWriter,
  table: WrittenTable,
  references: readonly VersionNodeReference[],
  withHeights: boolean,
): void {
  writer.varint(references.length);
  for (const reference of references) writer.varint64(reference.generation);
  for (const reference of references) writer.varint(table.indexOf(reference.location.file));
  for (const reference of references) writer.varint(reference.location.offset);
  for (const reference of references) writer.varint(reference.location.length);
  for (const reference of references) writer.varint64(reference.numGenerations);
  for (const reference of references) writer.u64Fixed(reference.commitTime);
  if (withHeights) for (const reference of references) writer.u8(reference.height);
}

/** A data-file table that has been written, asked for indices. */
export class WrittenTable {
  private readonly table: DataFileTable;
  private readonly indices: Uint32Array;

  constructor(table: DataFileTable, indices: Uint32Array) {
    this.table = table;
    this.indices = indices;
  }

  indexOf(file: DataFileId): number {
    return this.indices[this.table.add(file)]!;
  }
}

function readLocations(
  reader: BodyReader,
  files: readonly DataFileId[],
  count: number,
  mayBeMissing: boolean,
): (IndirectReference | undefined)[] {
  const fileColumn = reader.sizeColumn(count, "data file");
  const offsets = reader.bigints(count, "offset");
  const lengths = reader.bigints(count, "length");
  return offsets.map((offset, i) => {
    const length = lengths[i]!;
    const file = fileAt(reader, files, fileColumn[i]!);
    if (mayBeMissing && offset === MISSING && length === MISSING) return undefined;
    sizeOf(reader, "the end of a reference", offset + length);
    return { file, offset: Number(offset), length: Number(length) };
  });
}

/** Generations of a block: from 1 on, strictly increasing, in one aligned block. */
export function checkVersionGenerations(reader: BodyReader, generations: readonly bigint[], arityLog2: number): void {
  const first = generations[0]!;
  const last = generations.at(-1)!;
  if (first < 1n) throw reader.corrupt("generation 0 is none; they begin at 1");
  checkIncreasing(reader, generations);
  const blockStart = last - ((last - 1n) & ((1n << BigInt(arityLog2)) - 1n));
  if (first < blockStart)
    throw reader.corrupt(`generations ${first} to ${last} do not lie in one block of ${1 << arityLog2}`);
}

/** Children of an interior version-tree node of `height`. */
export function checkInteriorReferences(
  reader: BodyReader,
  references: readonly VersionNodeReference[],
  arityLog2: number,
  height: number,
): void {
  const most = 2 ** arityLog2;
  if (references.length < 1 || references.length > most) {
    throw reader.corrupt(`holds ${references.length} children, from 1 to ${most} are allowed`);
  }
  const generations = references.map((reference) => reference.generation);
  checkIncreasing(reader, generations);
  const strideBits = BigInt(arityLog2 * height);
  const stride = 1n << strideBits;
  for (const { generation, numGenerations } of references) {
    if (generation === 0n || generation % stride !== 0n) {
      throw reader.corrupt(`child generation ${generation} is no multiple of ${stride}, as height ${height} asks for`);
    }
    if (numGenerations < 1n || numGenerations > stride) {
      throw reader.corrupt(
        `the child that ends at generation ${generation} claims ${numGenerations} of ${stride} versions`,
      );
    }
  }
  const parentBits = strideBits + BigInt(arityLog2);
  if ((generations[0]! - 1n) >> parentBits !== (generations.at(-1)! - 1n) >> parentBits) {
    throw reader.corrupt(`child generations ${generations[0]} to ${generations.at(-1)} do not lie in one block`);
  }
}

/** References of a manifest whose newest generation is `latest`. */
export function checkManifestReferences(
  reader: BodyReader,
  references: readonly VersionNodeReference[],
  latest: bigint,
  arityLog2: number,
): void {
  const ranges = manifestReferenceRanges(latest, arityLog2);
  let previous: VersionNodeReference | undefined;
  for (const reference of references) {
    const { generation, height, numGenerations } = reference;
    if (height < 1 || (previous !== undefined && height >= previous.height)) {
      throw reader.corrupt(
        `height ${height} of a version-tree node follows ${previous?.height ?? "none"}; they fall to 1`,
      );
    }
    if (previous !== undefined && generation <= previous.generation) {
      throw reader.corrupt(`generation ${generation} of a version-tree node follows ${previous.generation}`);
    }
    const range = ranges[height - 1];
    if (range === undefined || generation < range.first || generation > range.last) {
      const legal = range === undefined ? "none is legal" : `${range.first} to ${range.last} are legal`;
      throw reader.corrupt(`a version-tree node of height ${height} ends at generation ${generation}; ${legal}`);
    }
    if (numGenerations < 1n || numGenerations > generation) {
      throw reader.corrupt(
        `the version-tree node that ends at generation ${generation} claims ${numGenerations} versions`,
      );
    }
    previous = reference;
  }
}

/** Generations that a manifest's version-tree node of one height covers. */
export interface GenerationRange {
  readonly height: number;
  readonly first: bigint;
  readonly last: bigint;
}

/** What each height from 1 on covers in a manifest whose newest generation is `latest`; heights that cover none end it. */
export function manifestReferenceRanges(latest: bigint, arityLog2: number): GenerationRange[] {
  const bits = BigInt(arityLog2);
  const ranges: GenerationRange[] = [];
  let last = ((latest - 1n) >> bits) << bits;
  for (let height = 1; last > 0n; height++) {
    const span = BigInt(height + 1) * bits;
    const before = ((last - 1n) >> span) << span;
    ranges.push({ height, first: before + 1n, last });
    last = before;
  }
  return ranges;
}

function checkIncreasing(reader: BodyReader, generations: readonly bigint[]): void {
  for (let i = 1; i < generations.length; i++) {
    if (generations[i]! <= generations[i - 1]!) {
      throw reader.corrupt(`generation ${generations[i]} follows ${generations[i - 1]}; they must increase`);
    }
  }
}
