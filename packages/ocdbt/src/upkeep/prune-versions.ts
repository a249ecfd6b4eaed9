/**
 * The version tree without some of its versions, or with some of its nodes elsewhere.
 *
 * A node is known by the generation that its block ends with, so as long as anything of a block stays, the last generation of the block
 * must. The references of a manifest are blocks that are cut open, one within the next: what is of height 1 ends the block of the reference
 * of height 2, and so on. Dropped without regard to that, a later commit would write a node that nobody can read.
 * @module
 */
import { encodeVersionNode } from "../format/index.ts";
import type { IndirectReference, Manifest, VersionEntry, VersionNode, VersionNodeReference } from "../format/types.ts";
import { versionNodeReference } from "../format/version-node.ts";
import type { DataFileWriter, NodeReader } from "../parts.ts";

export interface PruneRules {
  readonly keeps: (generation: bigint) => boolean;
  /** What becomes of all that exists of generations `first` to `last`; `undefined`: it has to be looked at. */
  readonly decide: (first: bigint, last: bigint) => "all" | "none" | undefined;
  /** Nodes that are written anew although they stay as they are. */
  readonly moves?: (location: IndirectReference) => boolean;
  /** Nodes that cannot be read, and go. */
  readonly isLost?: (location: IndirectReference) => boolean;
  /** Is told the versions that stay for no other reason than that they end a block of which something stays. */
  readonly onBlockEnd?: (generation: bigint) => void;
}

export interface PruneContext {
  readonly nodes: NodeReader;
  readonly writer: DataFileWriter;
  /** Called for each node that was looked into. */
  readonly onNode?: () => void;
  readonly signal?: AbortSignal;
}

/** The manifest without what the rules do not keep; the very same when nothing changes. The newest version always stays. */
export async function pruneVersions(manifest: Manifest, rules: PruneRules, context: PruneContext): Promise<Manifest> {
  const pruner = new Pruner(manifest, rules, context);
  const newest = manifest.versions.at(-1);
  const versions = manifest.versions.filter((version) => version === newest || rules.keeps(version.generation));
  const versionNodes = await pruner.roots();
  const isSame = versions.length === manifest.versions.length && versionNodes === manifest.versionNodes;
  return isSame ? manifest : { ...manifest, versions, versionNodes };
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

  /** The references of the manifest that stay. */
  async roots(): Promise<readonly VersionNodeReference[]> {
    const { versionNodes } = this.#manifest;
    let kept: { readonly reference: VersionNodeReference; readonly blockEnd: bigint }[] = [];
    let isSame = true;
    let first = 1n;
    for (const reference of versionNodes) {
      const blockEnd = this.#blockEnd(reference);
      const needed = kept.some((older) => older.blockEnd === reference.generation);
      const result = await this.#subtree(reference, first, needed);
      if (result !== reference) isSame = false;
      if (result !== undefined) kept.push({ reference: result, blockEnd });
      // It cannot be read: what it ended has no place any more.
      else if (needed) kept = kept.filter((older) => older.blockEnd !== reference.generation);
      first = reference.generation + 1n;
    }
    return isSame ? versionNodes : kept.map(({ reference }) => reference);
  }

  /** Last generation of the block of versions that a node is for. */
  #blockEnd({ generation, height }: VersionNodeReference): bigint {
    const bits = BigInt(this.#manifest.config.versionTreeArityLog2 * (height + 1));
    return (((generation - 1n) >> bits) + 1n) << bits;
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
      // Without its last child a node has no place any more.
      if (result === undefined && needed) return [];
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
    const { moves, decide, isLost } = this.#rules;
    if (isLost?.(reference.location)) return undefined;
    const fate = decide(first, reference.generation);
    if (fate === "none" && !needed) return undefined;
    if (fate === "all" && moves === undefined) return reference;
    const node = await this.#context.nodes.versionNode(reference, this.#context);
    this.#context.onNode?.();
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
    if (wanted.at(-1) !== last) this.#rules.onBlockEnd?.(last.generation);
    const kept: VersionEntry[] = wanted.at(-1) === last ? wanted : [...wanted, last];
    return kept.length === versions.length ? node : { ...node, versions: kept };
  }

  async #interior(
    node: Extract<VersionNode, { readonly children: readonly VersionNodeReference[] }>,
    reference: VersionNodeReference,
    first: bigint,
    needed: boolean,
  ): Promise<VersionNode | undefined> {
    // Of a block that is not complete yet, the last generation is still to come.
    const isComplete = this.#blockEnd(reference) === reference.generation;
    const last = needed ? "needed" : isComplete ? "if-any" : "free";
    const children = await this.children(node.children, first - 1n, last);
    if (children === node.children) return node;
    return children.length === 0 ? undefined : { ...node, children };
  }

  async #write(node: VersionNode): Promise<VersionNodeReference> {
    const bytes = await encodeVersionNode(node, this.#manifest.config.compression);
    return versionNodeReference(node, this.#context.writer.append(bytes, "version-tree"));
  }
}
