/**
 * Version-tree nodes: versions that no longer fit the manifest, in full blocks.
 * @module
 */
import { BodyReader } from "./body-reader.ts";
import { BodyWriter } from "./body-writer.ts";
import type { DecodeNodeOptions } from "./btree-node.ts";
import { DataFileTable, EMPTY_FILE, readDataFileTable } from "./data-file-table.ts";
import { describe, openEnvelope, sealEnvelope } from "./envelope.ts";
import type { Compression, IndirectReference, VersionNode, VersionNodeReference } from "./types.ts";
import {
  checkInteriorReferences,
  maxVersionTreeHeight,
  readVersionNodeReferences,
  readVersions,
  WrittenTable,
  writeVersionNodeReferences,
  writeVersions,
} from "./version-entries.ts";

/** Decodes a version-tree node. @throws `OcdbtError` */
export async function decodeVersionNode(bytes: Uint8Array, options: DecodeNodeOptions = {}): Promise<VersionNode> {
  return decodeVersionNodeBody(await openEnvelope(bytes, "versionNode", options), options);
}

/** Decodes what is inside the envelope. @throws `OcdbtError` */
export function decodeVersionNodeBody(body: Uint8Array, options: DecodeNodeOptions = {}): VersionNode {
  const reader = new BodyReader(body, describe("versionNode", options));
  const arityLog2 = readArity(reader);
  const height = reader.u8("height");
  if (height > maxVersionTreeHeight(arityLog2)) {
    throw reader.corrupt(`has height ${height}, at arity 2^${arityLog2} at most ${maxVersionTreeHeight(arityLog2)}`);
  }
  const files = readDataFileTable(reader, options.basePath ?? "");
  if (height === 0) {
    const versions = readVersions(reader, files, arityLog2);
    reader.expectEnd();
    return { arityLog2, height: 0, versions };
  }
  const children = readVersionNodeReferences(reader, files, arityLog2, height - 1);
  checkInteriorReferences(reader, children, arityLog2, height);
  reader.expectEnd();
  return { arityLog2, height, children };
}

/** log2 of how many entries a version-tree node, or the versions in a manifest, can have. */
export function readArity(reader: BodyReader): number {
  const arityLog2 = reader.u8("version tree arity");
  if (arityLog2 < 1 || arityLog2 > 16) {
    throw reader.corrupt(`has a version tree arity of 2^${arityLog2}, 2^1 to 2^16 are allowed`);
  }
  return arityLog2;
}

export async function encodeVersionNode(node: VersionNode, compression: Compression): Promise<Uint8Array> {
  return await sealEnvelope("versionNode", encodeVersionNodeBody(node), compression);
}

/** What {@link encodeVersionNode} puts in the envelope. */
export function encodeVersionNodeBody(node: VersionNode): Uint8Array {
  const writer = new BodyWriter();
  writer.u8(node.arityLog2);
  writer.u8(node.height);
  const table = new DataFileTable();
  if ("versions" in node) {
    for (const { root } of node.versions) table.add(root.location?.file ?? EMPTY_FILE);
    writeVersions(writer, new WrittenTable(table, table.write(writer)), node.versions);
  } else {
    for (const { location } of node.children) table.add(location.file);
    writeVersionNodeReferences(writer, new WrittenTable(table, table.write(writer)), node.children, false);
  }
  return writer.finish();
}

/** What a reference to a node says of it. */
export function summaryOf(
  node: VersionNode,
): Pick<VersionNodeReference, "generation" | "numGenerations" | "commitTime"> {
  const entries = "versions" in node ? node.versions : node.children;
  return {
    generation: entries.at(-1)!.generation,
    commitTime: entries[0]!.commitTime,
    numGenerations:
      "versions" in node
        ? BigInt(node.versions.length)
        : node.children.reduce((sum, child) => sum + child.numGenerations, 0n),
  };
}

/** The reference to a node that lies there. */
export function versionNodeReference(node: VersionNode, location: IndirectReference): VersionNodeReference {
  return { ...summaryOf(node), location, height: node.height, arityLog2: node.arityLog2 };
}
