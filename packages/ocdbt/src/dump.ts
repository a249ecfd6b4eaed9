/**
 * Stored structures as JSON, in the spelling of TensorStore's `ocdbt.dump`, for eyes and for comparison.
 *
 * What JSON cannot hold is written so that nothing is lost: 64-bit numbers as decimal strings; byte strings in a member
 * `…_base64`, beside the plain one when they are UTF-8.
 * @module
 */
import { OcdbtError } from "./errors.ts";
import type {
  BtreeInterior,
  BtreeLeaf,
  BtreeNode,
  BtreeNodeReference,
  Config,
  IndirectReference,
  Manifest,
  NodeStatistics,
  VersionEntry,
  VersionNode,
  VersionNodeReference,
} from "./format/index.ts";
import {
  type DecodeManifestOptions,
  type DecodeNodeOptions,
  decodeBtreeNode,
  decodeManifest,
  decodeVersionNode,
  envelopeKind,
  keyAt,
} from "./format/index.ts";

/** JSON as {@link dump} makes it. */
export type DumpJson = null | boolean | number | string | readonly DumpJson[] | { readonly [member: string]: DumpJson };

/**
 * The structure that `bytes` are: a manifest, a version-tree node or a B+tree node. Of a numbered database `manifest.ocdbt` has the
 * configuration alone; versions are in the newest `manifest.<16 digits>`.
 *
 * @example JSON.stringify(await dump(await readFile("db/manifest.ocdbt")), null, 2)
 * @throws `OcdbtError` `corrupt` when they are none of these, or damaged
 */
export async function dump(
  bytes: Uint8Array,
  options: DecodeNodeOptions & DecodeManifestOptions = {},
): Promise<DumpJson> {
  switch (envelopeKind(bytes)) {
    case "manifest":
      return dumpManifest(await decodeManifest(bytes, options));
    case "versionNode":
      return dumpVersionNode(await decodeVersionNode(bytes, options));
    case "btreeNode":
      return dumpBtreeNode(await decodeBtreeNode(bytes, options));
    default:
      throw new OcdbtError(
        "corrupt",
        `${options.file ?? "this"} begins no manifest, version-tree node or B+tree node`,
        {
          fields: { file: options.file ?? "" },
        },
      );
  }
}

/** A configuration as it is written in specs. */
export function configToJson(config: Config): DumpJson {
  const { compression } = config;
  return {
    uuid: config.uuid,
    ...(config.manifestKind === "numbered" ? { manifest_kind: "numbered" } : {}),
    max_inline_value_bytes: config.maxInlineValueBytes,
    max_decoded_node_bytes: config.maxDecodedNodeBytes,
    version_tree_arity_log2: config.versionTreeArityLog2,
    compression:
      compression === null
        ? null
        : { id: compression.id, ...(compression.level === 0 ? {} : { level: compression.level }) },
  };
}

/** The JSON of a decoded manifest. */
export function dumpManifest(manifest: Manifest): DumpJson {
  return {
    config: configToJson(manifest.config),
    versions: manifest.versions.map(dumpVersion),
    version_tree_nodes: manifest.versionNodes.map(dumpVersionNodeReference),
  };
}

/** The JSON of a decoded version-tree node. */
export function dumpVersionNode(node: VersionNode): DumpJson {
  return {
    height: node.height,
    version_tree_arity_log2: node.arityLog2,
    entries: "versions" in node ? node.versions.map(dumpVersion) : node.children.map(dumpVersionNodeReference),
  };
}

/** The JSON of a decoded B+tree node. */
export function dumpBtreeNode(node: BtreeNode): DumpJson {
  const entries: DumpJson[] = [];
  for (let i = 0; i < node.keys.length; i++) {
    entries.push("children" in node ? dumpInteriorEntry(node, i) : dumpLeafEntry(node, i));
  }
  return { height: node.height, entries };
}

function dumpLeafEntry(leaf: BtreeLeaf, i: number): DumpJson {
  const key = bytesJson("key", keyAt(leaf.keys, i));
  const offset = leaf.valueOffsets[i]!;
  const length = leaf.valueLengths[i]!;
  const file = leaf.files[leaf.valueFiles[i]!];
  if (file === undefined)
    return { ...key, ...bytesJson("inline_value", leaf.inline.subarray(offset, offset + length)) };
  return { ...key, indirect_value: formatReference("value", { file, offset, length }) };
}

function dumpInteriorEntry(node: BtreeInterior, i: number): DumpJson {
  const key = keyAt(node.keys, i);
  return {
    ...bytesJson("key", key),
    ...bytesJson("subtree_common_prefix", key.subarray(0, node.subtreePrefixLengths[i]!)),
    ...dumpNodeReference(node.children.at(i)),
  };
}

function dumpVersion(version: VersionEntry): DumpJson {
  return {
    root: dumpNodeReference(version.root),
    generation_number: `${version.generation}`,
    root_height: version.root.height,
    commit_time: `${version.commitTime}`,
  };
}

function dumpVersionNodeReference(reference: VersionNodeReference): DumpJson {
  return {
    location: formatReference("versionnode", reference.location),
    generation_number: `${reference.generation}`,
    height: reference.height,
    num_generations: `${reference.numGenerations}`,
    commit_time: `${reference.commitTime}`,
  };
}

function dumpNodeReference(reference: BtreeNodeReference): { readonly [member: string]: DumpJson } {
  const { location } = reference;
  return {
    ...(location === undefined ? {} : { location: formatReference("btreenode", location) }),
    statistics: dumpStatistics(reference.statistics),
  };
}

function dumpStatistics(statistics: NodeStatistics): DumpJson {
  return {
    num_indirect_value_bytes: `${statistics.numIndirectValueBytes}`,
    num_tree_bytes: `${statistics.numTreeBytes}`,
    num_keys: `${statistics.numKeys}`,
  };
}

/** What a reference leads to. */
export type ReferenceLabel = "value" | "btreenode" | "versionnode";

/** A reference as text: `btreenode:<base path>:<relative path>:<offset>:<length>`, paths percent-encoded. */
export function formatReference(label: ReferenceLabel, reference: IndirectReference): string {
  const { file, offset, length } = reference;
  return `${label}:${escapePath(file.basePath)}:${escapePath(file.relativePath)}:${offset}:${length}`;
}

/** Reads what {@link formatReference} wrote. @throws `OcdbtError` `bad-spec` */
export function parseReference(text: string): {
  readonly label: ReferenceLabel;
  readonly reference: IndirectReference;
} {
  const match = /^(value|btreenode|versionnode):([^:]*):([^:]*):([0-9]{1,16}):([0-9]{1,16})$/.exec(text);
  const offset = Number(match?.[4]);
  const length = Number(match?.[5]);
  if (match === null || !Number.isSafeInteger(offset + length)) {
    throw new OcdbtError("bad-spec", `${JSON.stringify(text)} is no reference such as btreenode::d/0123abcd:0:79`, {
      fields: { reference: text },
    });
  }
  const file = { basePath: unescapePath(match[2]!), relativePath: unescapePath(match[3]!) };
  return { label: match[1] as ReferenceLabel, reference: { file, offset, length } };
}

function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_./]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

function unescapePath(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

function bytesJson(member: string, bytes: Uint8Array): { readonly [member: string]: DumpJson } {
  const base64 = { [`${member}_base64`]: toBase64(bytes) };
  try {
    return { [member]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), ...base64 };
  } catch {
    // Not UTF-8: the bytes alone say what it is.
    return base64;
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
