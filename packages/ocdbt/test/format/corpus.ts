/** The golden databases of test-fixtures/ocdbt, which TensorStore wrote. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  type BtreeInterior,
  type BtreeLeaf,
  type BtreeNode,
  type BtreeNodeReference,
  decodeBtreeNode,
  decodeManifest,
  decodeVersionNode,
  type IndirectReference,
  keyAt,
  type Manifest,
  parseNumberedManifestKey,
  pathToBytes,
  type VersionEntry,
  type VersionNodeReference,
} from "../../src/format/index.ts";

const ROOT = new URL("../../../../test-fixtures/ocdbt/", import.meta.url);

interface CaseRecord {
  readonly contents: Readonly<Record<string, { readonly keys: number; readonly sha256: string }>>;
  readonly files: Readonly<Record<string, string>>;
}

const RECORD = JSON.parse(readFileSync(new URL("MANIFEST.json", ROOT), "utf8")) as {
  readonly cases: Readonly<Record<string, CaseRecord>>;
};

export const CASES: readonly string[] = Object.keys(RECORD.cases);

export interface GoldenCase {
  readonly name: string;
  readonly record: CaseRecord;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly dump: { readonly manifest: unknown; readonly nodes: Readonly<Record<string, unknown>> };
}

/** Reads a case, after its checksums. */
export function goldenCase(name: string): GoldenCase {
  const record = RECORD.cases[name]!;
  const files = new Map<string, Uint8Array>();
  for (const [path, sha256] of Object.entries(record.files)) {
    const bytes = new Uint8Array(readFileSync(new URL(`${name}/${path}`, ROOT)));
    const actual = createHash("sha256").update(bytes).digest("hex");
    if (actual !== sha256) throw new Error(`${name}/${path} has sha256 ${actual}, MANIFEST.json says ${sha256}`);
    files.set(path, bytes);
  }
  const dump = JSON.parse(new TextDecoder().decode(files.get("dump.json")!)) as GoldenCase["dump"];
  return { name, record, files, dump };
}

/** The newest manifest of a case. */
export async function newestManifest(
  golden: GoldenCase,
): Promise<{ key: string; bytes: Uint8Array; manifest: Manifest }> {
  const numbered = [...golden.files.keys()].filter((key) => parseNumberedManifestKey(key) !== undefined).sort();
  const key = numbered.at(-1) ?? "manifest.ocdbt";
  const bytes = golden.files.get(key)!;
  const generation = parseNumberedManifestKey(key);
  const manifest = await decodeManifest(bytes, generation === undefined ? {} : { numbered: generation });
  return { key, bytes, manifest };
}

export function stored(golden: GoldenCase, { file, offset, length }: IndirectReference): Uint8Array {
  const bytes = golden.files.get(file.basePath + file.relativePath);
  if (bytes === undefined) throw new Error(`${golden.name} has no file ${file.basePath}${file.relativePath}`);
  return bytes.subarray(offset, offset + length);
}

/** Every version, oldest first. */
export async function allVersions(golden: GoldenCase, manifest: Manifest): Promise<VersionEntry[]> {
  const versions: VersionEntry[] = [];
  for (const reference of manifest.versionNodes) versions.push(...(await below(golden, reference)));
  return [...versions, ...manifest.versions];
}

async function below(golden: GoldenCase, reference: VersionNodeReference): Promise<readonly VersionEntry[]> {
  const node = await decodeVersionNode(stored(golden, reference.location), {
    basePath: reference.location.file.basePath,
  });
  if ("versions" in node) return node.versions;
  return (await Promise.all(node.children.map((child) => below(golden, child)))).flat();
}

/** A node where it stands in its tree. */
export interface VisitedNode {
  readonly node: BtreeNode;
  readonly location: IndirectReference;
  /** What all its keys begin with and it leaves out. */
  readonly prefix: Uint8Array;
}

/** All nodes of a tree, depth first. */
export async function visitTree(
  golden: GoldenCase,
  root: BtreeNodeReference,
  prefix: Uint8Array = new Uint8Array(0),
): Promise<VisitedNode[]> {
  if (root.location === undefined) return [];
  const node = await decodeBtreeNode(stored(golden, root.location), { basePath: root.location.file.basePath });
  const visited: VisitedNode[] = [{ node, location: root.location, prefix }];
  if (!("children" in node)) return visited;
  for (let i = 0; i < node.children.length; i++) {
    const childPrefix = joined(prefix, keyAt(node.keys, i).subarray(0, node.subtreePrefixLengths[i]!));
    visited.push(...(await visitTree(golden, node.children.at(i), childPrefix)));
  }
  return visited;
}

/** Keys and values of a version in order. */
export async function contents(golden: GoldenCase, root: BtreeNodeReference): Promise<[Uint8Array, Uint8Array][]> {
  const entries: [Uint8Array, Uint8Array][] = [];
  for (const { node, prefix } of await visitTree(golden, root)) {
    if ("children" in node) continue;
    for (let i = 0; i < node.keys.length; i++)
      entries.push([joined(prefix, keyAt(node.keys, i)), value(golden, node, i)]);
  }
  return entries;
}

function value(golden: GoldenCase, leaf: BtreeLeaf, i: number): Uint8Array {
  const offset = leaf.valueOffsets[i]!;
  const length = leaf.valueLengths[i]!;
  const file = leaf.files[leaf.valueFiles[i]!];
  return file === undefined ? leaf.inline.subarray(offset, offset + length) : stored(golden, { file, offset, length });
}

/** The digest of MANIFEST.json. */
export function contentsDigest(entries: readonly (readonly [Uint8Array, Uint8Array])[]): string {
  const hash = createHash("sha256");
  const length = Buffer.alloc(4);
  for (const pair of entries) {
    for (const part of pair) {
      length.writeUInt32LE(part.length);
      hash.update(length).update(part);
    }
  }
  return hash.digest("hex");
}

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

/** Key `i` of a node in full. */
export function fullKey(visited: VisitedNode, i: number): Uint8Array {
  return joined(visited.prefix, keyAt(visited.node.keys, i));
}

export function asInterior(node: BtreeNode): BtreeInterior {
  if (!("children" in node)) throw new Error("a leaf, expected an interior node");
  return node;
}

export function ascii(text: string): Uint8Array {
  return pathToBytes(text);
}
