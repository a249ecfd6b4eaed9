/**
 * From a version's number or time to its root: the newest block lies in the manifest, older ones in version-tree nodes.
 * @module
 */
import type { VersionSpec } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import type { Manifest, VersionEntry, VersionNode, VersionNodeReference } from "../format/types.ts";
import type { NodeReader } from "../parts.ts";
import { checkGeneration, checkTime, formatCommitTime, printVersion } from "./version-spec.ts";

/** A version that the manifest and its nodes can tell; tags are names of generations. */
export type StoredVersionSpec = Exclude<VersionSpec, { readonly tag: string }>;

interface Cancel {
  readonly signal?: AbortSignal;
}

/** @throws `OcdbtError` `version-not-found`, `bad-spec` */
export async function resolveVersion(
  manifest: Manifest,
  spec: StoredVersionSpec,
  nodes: NodeReader,
  options: Cancel = {},
): Promise<VersionEntry> {
  const found = await findBySpec(manifest, spec, nodes, options);
  if (found !== undefined) return found;
  const name = printVersion(spec);
  const newest = manifest.versions.at(-1);
  const isPast = "generation" in spec && newest !== undefined && spec.generation < newest.generation;
  const what = isPast ? `version ${name} has expired, or never was` : `there is no version ${name}`;
  const known = newest === undefined ? "the database has none yet" : `versions here are ${await extent()}`;
  throw new OcdbtError("version-not-found", `${what}; ${known}`, { fields: { version: name } });

  async function extent(): Promise<string> {
    const oldest = await oldestVersion(manifest, nodes, options);
    const last = `v${newest!.generation}`;
    if (oldest?.generation === newest!.generation) return `${last} alone, of ${formatCommitTime(oldest.commitTime)}`;
    return oldest
      ? `v${oldest.generation}…${last}, the first of ${formatCommitTime(oldest.commitTime)}`
      : `up to ${last}`;
  }
}

/** `undefined`: what leads to it cannot be read, which matters to nobody who asked for another one. */
async function oldestVersion(
  manifest: Manifest,
  nodes: NodeReader,
  options: Cancel,
): Promise<VersionEntry | undefined> {
  let [reference] = manifest.versionNodes;
  if (reference === undefined) return manifest.versions[0];
  try {
    for (;;) {
      const node: VersionNode = await nodes.versionNode(reference!, options);
      if ("versions" in node) return node.versions[0];
      [reference] = node.children;
    }
  } catch (error) {
    if (!isOcdbtError(error)) throw error;
    return undefined;
  }
}

async function findBySpec(
  manifest: Manifest,
  spec: StoredVersionSpec,
  nodes: NodeReader,
  options: Cancel,
): Promise<VersionEntry | undefined> {
  if ("generation" in spec) {
    return await findGeneration(manifest, checkGeneration(spec.generation, `v${spec.generation}`), nodes, options);
  }
  if ("time" in spec) return await findTime(manifest, checkTime(spec.time), nodes, options);
  return await findAncestor(manifest, spec.ancestor, nodes, options);
}

/** The version of exactly this generation. */
export async function findGeneration(
  manifest: Manifest,
  generation: bigint,
  nodes: NodeReader,
  options: Cancel = {},
): Promise<VersionEntry | undefined> {
  const { versions } = manifest;
  if (versions.length === 0) return undefined;
  if (generation >= versions[0]!.generation) return exact(versions, generation);
  const covers = (references: readonly VersionNodeReference[]): VersionNodeReference | undefined =>
    references[firstIndex(references, (reference) => reference.generation >= generation)];
  let reference = covers(manifest.versionNodes);
  while (reference !== undefined) {
    const node = await nodes.versionNode(reference, options);
    if ("versions" in node) return exact(node.versions, generation);
    reference = covers(node.children);
  }
  return undefined;
}

/** The newest version that was committed at `time` or before. */
async function findTime(
  manifest: Manifest,
  time: bigint,
  nodes: NodeReader,
  options: Cancel,
): Promise<VersionEntry | undefined> {
  const { versions } = manifest;
  if (versions.length === 0) return undefined;
  const last = <T extends { readonly commitTime: bigint }>(entries: readonly T[]): T | undefined =>
    entries[firstIndex(entries, (entry) => entry.commitTime > time) - 1];
  if (time >= versions[0]!.commitTime) return last(versions);
  let reference = last(manifest.versionNodes);
  while (reference !== undefined) {
    const node = await nodes.versionNode(reference, options);
    if ("versions" in node) return last(node.versions);
    reference = last(node.children);
  }
  return undefined;
}

/** The version `steps` before the newest; versions that have expired are not counted. */
async function findAncestor(
  manifest: Manifest,
  steps: number,
  nodes: NodeReader,
  options: Cancel,
): Promise<VersionEntry | undefined> {
  if (!Number.isSafeInteger(steps) || steps < 0) {
    throw new OcdbtError("bad-spec", `an ancestor is a whole number of versions back from 0 on, not ${steps}`, {
      fields: { ancestor: steps },
    });
  }
  const { versions } = manifest;
  if (steps < versions.length) return versions[versions.length - 1 - steps];
  let left = BigInt(steps - versions.length);
  let references = manifest.versionNodes;
  for (;;) {
    let chosen: VersionNodeReference | undefined;
    for (let i = references.length - 1; i >= 0 && chosen === undefined; i--) {
      const { numGenerations } = references[i]!;
      if (left < numGenerations) chosen = references[i];
      else left -= numGenerations;
    }
    if (chosen === undefined) return undefined;
    const node = await nodes.versionNode(chosen, options);
    if ("versions" in node) return node.versions[node.versions.length - 1 - Number(left)];
    references = node.children;
  }
}

function exact(versions: readonly VersionEntry[], generation: bigint): VersionEntry | undefined {
  const entry = versions[firstIndex(versions, (version) => version.generation >= generation)];
  return entry?.generation === generation ? entry : undefined;
}

/** Index of the first entry that fits, when all after it do too; the length when none does. */
function firstIndex<T>(entries: readonly T[], fits: (entry: T) => boolean): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (fits(entries[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
