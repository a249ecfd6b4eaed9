/**
 * The version tree without some of its versions, or with some of its nodes elsewhere.
 *
 * TensorStore's rules decide what can go: any reference of the manifest, any but the newest of the versions in the manifest, and within
 * a node that stays everything but its last child, because a node is known by the generation its block ends with.
 * @module
 */
import { encodeVersionNode } from "../format/index.ts";
import type { IndirectReference, Manifest, VersionEntry, VersionNode, VersionNodeReference } from "../format/types.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";

export interface PruneRules {
  readonly keeps: (generation: bigint) => boolean;
  /** What becomes of all that exists of generations `first` to `last`; `undefined`: it has to be looked at. */
  readonly decide: (first: bigint, last: bigint) => "all" | "none" | undefined;
  /** Nodes that are written anew although they stay as they are. */
  readonly moves?: (location: IndirectReference) => boolean;
}

export interface PruneContext {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  readonly signal?: AbortSignal;
}

/** The manifest without what the rules do not keep; the very same when nothing changes. The newest version always stays. */
export async function pruneVersions(manifest: Manifest, rules: PruneRules, context: PruneContext): Promise<Manifest> {
  const pruner = new Pruner(manifest, rules, context);
  const newest = manifest.versions.at(-1);
  const versions = manifest.versions.filter((version) => version === newest || rules.keeps(version.generation));
  const versionNodes = await pruner.children(manifest.versionNodes, 0n, "free");
  const isSame = versions.length === manifest.versions.length && versionNodes === manifest.versionNodes;
  return isSame ? manifest : { ...manifest, versions, versionNodes };
}

/** Versions that a manifest leads to. */
export function countVersions({ versions, versionNodes }: Manifest): bigint {
  return versionNodes.reduce((sum, node) => sum + node.numGenerations, BigInt(versions.length));
}

/** Whether a subtree may vanish, must keep its last version, or must if any other of it stays. */
type Last = "free" | "needed" | "if-any";

class Pruner {
  readonly #manifest: Manifest;
  readonly #rules: PruneRules;
  readonly #context: PruneContext;

  constructor(manifest: Manifest, rules: PruneRules, context: PruneContext) {
    this.#manifest = manifest;
    this.#rules = rules;
    this.#context = context;
  }

  /** The children that stay, `references` itself if all do as they are. `before` is the last generation in front of them. */
  async children(
    references: readonly VersionNodeReference[],
    before: bigint,
    last: Last,
  ): Promise<readonly VersionNodeReference[]> {
    const kept: VersionNodeReference[] = [];
    let isSame = true;
    let first = before + 1n;
    for (const [i, reference] of references.entries()) {
      const isLast = i === references.length - 1;
      const needed = isLast && (last === "needed" || (last === "if-any" && kept.length > 0));
      const result = await this.#subtree(reference, first, needed);
      if (result !== reference) isSame = false;
      if (result !== undefined) kept.push(result);
      first = reference.generation + 1n;
    }
    return isSame ? references : kept;
  }

  async #subtree(
    reference: VersionNodeReference,
    first: bigint,
    needed: boolean,
  ): Promise<VersionNodeReference | undefined> {
    const { moves, decide } = this.#rules;
    const fate = decide(first, reference.generation);
    if (fate === "none" && !needed) return undefined;
    if (fate === "all" && moves === undefined) return reference;
    const node = await this.#context.nodes.versionNode(reference, this.#context);
    const result = "versions" in node ? this.#leaf(node, needed) : await this.#interior(node, reference, first, needed);
    if (result === undefined) return undefined;
    if (result === node && moves?.(reference.location) !== true) return reference;
    return await this.#write(result);
  }

  #leaf(node: Extract<VersionNode, { readonly height: 0 }>, needed: boolean): VersionNode | undefined {
    const { versions } = node;
    const wanted = versions.filter(({ generation }) => this.#rules.keeps(generation));
    if (wanted.length === versions.length) return node;
    if (wanted.length === 0 && !needed) return undefined;
    const last = versions.at(-1)!;
    const kept: VersionEntry[] = wanted.at(-1) === last ? wanted : [...wanted, last];
    return kept.length === versions.length ? node : { ...node, versions: kept };
  }

  async #interior(
    node: Extract<VersionNode, { readonly children: readonly VersionNodeReference[] }>,
    reference: VersionNodeReference,
    first: bigint,
    needed: boolean,
  ): Promise<VersionNode | undefined> {
    const isTop = this.#manifest.versionNodes.includes(reference);
    const children = await this.children(node.children, first - 1n, isTop ? "free" : needed ? "needed" : "if-any");
    if (children === node.children) return node;
    return children.length === 0 ? undefined : { ...node, children };
  }

  async #write(node: VersionNode): Promise<VersionNodeReference> {
    const bytes = await encodeVersionNode(node, this.#manifest.config.compression);
    const location = this.#context.writer.append(bytes, "version-tree");
    return { ...summaryOf(node), location, height: node.height };
  }
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
