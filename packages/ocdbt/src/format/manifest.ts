/**
 * The manifest: the configuration, the newest block of versions, and references to the version-tree nodes of older ones. A
 * numbered database has its configuration in `manifest.ocdbt` and the rest in `manifest.<generation in hexadecimal>`.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import { BodyReader } from "./body-reader.ts";
import { BodyWriter } from "./body-writer.ts";
import { MAX_INLINE_VALUE_BYTES } from "./btree-node.ts";
import { DataFileTable, EMPTY_FILE, readDataFileTable } from "./data-file-table.ts";
import { type DecodeOptions, describe, openEnvelope, sealEnvelope } from "./envelope.ts";
import type { Compression, Config, Manifest } from "./types.ts";
import {
  checkManifestReferences,
  readVersionNodeReferences,
  readVersions,
  WrittenTable,
  writeVersionNodeReferences,
  writeVersions,
} from "./version-entries.ts";
import { readArity } from "./version-node.ts";

export const MANIFEST_KEY = "manifest.ocdbt";

/** Key of the manifest of `generation` in a numbered database. */
export function numberedManifestKey(generation: bigint): string {
  return `manifest.${generation.toString(16).padStart(16, "0")}`;
}

/** The generation that `key` is the numbered manifest of; `undefined` when it is none. */
export function parseNumberedManifestKey(key: string): bigint | undefined {
  const match = /^manifest\.([0-9a-f]{16})$/.exec(key);
  return match === null ? undefined : BigInt(`0x${match[1]}`);
}

export interface DecodeManifestOptions extends DecodeOptions {
  /**
   * The generation in the name of a numbered manifest. Such a file says "single" and is made to say "numbered"; its newest
   * version must be this one.
   */
  readonly numbered?: bigint;
}

/** Decodes a manifest. @throws `OcdbtError` */
export async function decodeManifest(bytes: Uint8Array, options: DecodeManifestOptions = {}): Promise<Manifest> {
  return decodeManifestBody(await openEnvelope(bytes, "manifest", options), options);
}

/** Decodes what is inside the envelope. @throws `OcdbtError` */
export function decodeManifestBody(body: Uint8Array, options: DecodeManifestOptions = {}): Manifest {
  const reader = new BodyReader(body, describe("manifest", options));
  const config = readConfig(reader);
  if (config.manifestKind === "numbered") {
    if (options.numbered !== undefined) {
      throw reader.corrupt(`holds a configuration alone, expected the versions up to ${options.numbered}`);
    }
    reader.expectEnd();
    return { config, versions: [], versionNodes: [] };
  }
  const files = readDataFileTable(reader, "");
  const versions = readVersions(reader, files, config.versionTreeArityLog2);
  const versionNodes = readVersionNodeReferences(reader, files, config.versionTreeArityLog2, "stored");
  const latest = versions.at(-1)!.generation;
  checkManifestReferences(reader, versionNodes, latest, config.versionTreeArityLog2);
  reader.expectEnd();
  if (options.numbered === undefined) return { config, versions, versionNodes };
  if (latest !== options.numbered) {
    throw reader.corrupt(`its newest version is ${latest}, its name says ${options.numbered}`);
  }
  return { config: { ...config, manifestKind: "numbered" }, versions, versionNodes };
}

function readConfig(reader: BodyReader): Config {
  const uuid = toHex(reader.take(16, "uuid"));
  const kind = reader.u8("manifest kind");
  if (kind > 1) throw reader.corrupt(`manifest kind ${kind} is unknown; 0 (single) and 1 (numbered) are known`);
  const maxInlineValueBytes = reader.u32("max_inline_value_bytes");
  if (maxInlineValueBytes > MAX_INLINE_VALUE_BYTES) {
    throw reader.corrupt(`max_inline_value_bytes is ${maxInlineValueBytes}, at most ${MAX_INLINE_VALUE_BYTES}`);
  }
  const maxDecodedNodeBytes = reader.u32("max_decoded_node_bytes");
  const versionTreeArityLog2 = readArity(reader);
  const compression = readCompression(reader);
  return {
    uuid,
    manifestKind: kind === 0 ? "single" : "numbered",
    maxInlineValueBytes,
    maxDecodedNodeBytes,
    versionTreeArityLog2,
    compression,
  };
}

function readCompression(reader: BodyReader): Compression {
  const method = reader.u32("compression method");
  if (method === 0) return null;
  if (method !== 1) throw reader.corrupt(`compression method ${method} is unknown; 0 (none) and 1 (zstd) are known`);
  const level = reader.i32("zstd level");
  if (level < -131_072 || level > 22) throw reader.corrupt(`zstd level ${level} is outside −131072 to 22`);
  return { id: "zstd", level };
}

/**
 * Encodes a manifest: of a numbered database, one with versions as `manifest.<hex>` and one without as `manifest.ocdbt`.
 * @throws `OcdbtError` `bad-spec` when a value of the configuration is out of its range
 */
export async function encodeManifest(manifest: Manifest): Promise<Uint8Array> {
  return await sealEnvelope("manifest", encodeManifestBody(manifest), manifest.config.compression);
}

/** What {@link encodeManifest} puts in the envelope. */
export function encodeManifestBody(manifest: Manifest): Uint8Array {
  const { config, versions, versionNodes } = manifest;
  checkConfig(config);
  const configOnly = config.manifestKind === "numbered" && versions.length === 0;
  if (!configOnly && versions.length === 0) throw new RangeError("a single manifest has at least one version");
  const writer = new BodyWriter();
  writeConfig(writer, config, configOnly ? 1 : 0);
  if (configOnly) return writer.finish();
  const table = new DataFileTable();
  for (const { root } of versions) table.add(root.location?.file ?? EMPTY_FILE);
  for (const { location } of versionNodes) table.add(location.file);
  const written = new WrittenTable(table, table.write(writer));
  writeVersions(writer, written, versions);
  writeVersionNodeReferences(writer, written, versionNodes, true);
  return writer.finish();
}

function writeConfig(writer: BodyWriter, config: Config, kind: 0 | 1): void {
  writer.bytes(fromHex(config.uuid));
  writer.u8(kind);
  writer.varint(config.maxInlineValueBytes);
  writer.varint(config.maxDecodedNodeBytes);
  writer.u8(config.versionTreeArityLog2);
  writer.varint(config.compression === null ? 0 : 1);
  if (config.compression !== null) writer.i32(config.compression.level);
}

/** Throws `OcdbtError` `bad-spec` unless every value is in its range. */
export function checkConfig(config: Config): void {
  const { uuid, manifestKind, maxInlineValueBytes, maxDecodedNodeBytes, versionTreeArityLog2, compression } = config;
  if (manifestKind !== "single" && manifestKind !== "numbered") {
    throw badConfig("manifest_kind", String(manifestKind), "single or numbered");
  }
  if (!/^[0-9a-f]{32}$/.test(uuid)) throw badConfig("uuid", uuid, "32 lower-case hexadecimal digits");
  checkRange("max_inline_value_bytes", maxInlineValueBytes, 0, MAX_INLINE_VALUE_BYTES);
  checkRange("max_decoded_node_bytes", maxDecodedNodeBytes, 0, 0xffff_ffff);
  checkRange("version_tree_arity_log2", versionTreeArityLog2, 1, 16);
  if (compression === null) return;
  if (compression?.id !== "zstd") throw badConfig("compression", JSON.stringify(compression), 'null or {"id": "zstd"}');
  checkRange("compression.level", compression.level, -131_072, 22);
}

function checkRange(name: string, value: number, low: number, high: number): void {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw badConfig(name, value, `a whole number from ${low} to ${high}`);
  }
}

function badConfig(name: string, value: string | number, expected: string): OcdbtError {
  return new OcdbtError("bad-spec", `config.${name} is ${value}, expected ${expected}`, { fields: { name, value } });
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
