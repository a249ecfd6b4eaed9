/**
 * A whole new tree from entries in order, as TensorStore would part them, in bounded memory.
 * @module
 */
import {
  type BtreeLeaf,
  type BtreeNode,
  type BtreeNodeReference,
  type Config,
  type EncodedNode,
  encodeNodes,
  InteriorBuilder,
  LeafBuilder,
  NO_STATISTICS,
  splitNode,
} from "../format/index.ts";
import type { DataFileWriter } from "../parts.ts";

/** Nodes are parted when entries of this many have come together: the last of them stays, as it may grow. */
const NODES_AT_ONCE = 8;
const BYTES_AT_ONCE = 64 * 2 ** 20;

interface Level {
  builder: LeafBuilder | InteriorBuilder;
  /** Rough size of what is in the builder. */
  bytes: number;
  /** Nodes of this level that are written. */
  written: number;
}

export class TreeBuilder {
  readonly #config: Pick<Config, "maxDecodedNodeBytes" | "compression">;
  readonly #writer: DataFileWriter;
  readonly #levels: Level[] = [{ builder: new LeafBuilder(), bytes: 0, written: 0 }];
  readonly #most: number;

  /** @param bytesAtOnce about what a level may hold in memory before its nodes are written */
  constructor(
    config: Pick<Config, "maxDecodedNodeBytes" | "compression">,
    writer: DataFileWriter,
    bytesAtOnce: number = BYTES_AT_ONCE,
  ) {
    this.#config = config;
    this.#writer = writer;
    const { maxDecodedNodeBytes } = config;
    this.#most = maxDecodedNodeBytes === 0 ? Infinity : Math.max(bytesAtOnce, NODES_AT_ONCE * maxDecodedNodeBytes);
  }

  /** Adds the entries `start … end` of a leaf, whose keys lack `prefix`. */
  async copy(leaf: BtreeLeaf, start: number, end: number, prefix: Uint8Array): Promise<void> {
    const level = this.#levels[0]!;
    (level.builder as LeafBuilder).copy(leaf, start, end, prefix);
    level.bytes += leaf.keys.offsets[end]! - leaf.keys.offsets[start]! + (end - start) * (64 + prefix.length);
    for (let i = start; i < end; i++) if (leaf.valueFiles[i]! < 0) level.bytes += leaf.valueLengths[i]!;
    if (level.bytes > this.#most) await this.#part(0);
  }

  /** Writes what is left and gives the root. */
  async finish(): Promise<BtreeNodeReference> {
    for (let height = 0; ; height++) {
      const level = this.#levels[height]!;
      if (height === 0 && level.builder.length === 0 && level.written === 0) {
        return { location: undefined, height: 0, statistics: NO_STATISTICS };
      }
      const isTop = height === this.#levels.length - 1 && level.written === 0;
      const nodes = await encodeNodes(level.builder.finish(), this.#config, { mayBeRoot: isTop });
      if (isTop && nodes.length === 1) return this.#store(nodes[0]!);
      for (const node of nodes) await this.#add(node);
    }
  }

  /** Writes the nodes of a level that are full: all but the last. */
  async #part(height: number): Promise<void> {
    const level = this.#levels[height]!;
    const row = level.builder.finish();
    const ends = splitNode(row, this.#config.maxDecodedNodeBytes);
    const whole = ends.length - 1;
    if (whole === 0) return;
    const end = ends[whole - 1]!;
    const nodes = await encodeNodes(part(row, 0, end), this.#config, { mayBeRoot: false });
    level.builder = copied(row, end, row.keys.length);
    level.bytes = 0;
    level.written += nodes.length;
    for (const node of nodes) await this.#add(node);
  }

  async #add(node: EncodedNode): Promise<void> {
    const reference = this.#store(node);
    const height = node.height + 1;
    let level = this.#levels[height];
    if (level === undefined) {
      level = { builder: new InteriorBuilder(height), bytes: 0, written: 0 };
      this.#levels.push(level);
    }
    (level.builder as InteriorBuilder).add(node.firstKey, node.excluded, reference);
    level.bytes += node.firstKey.length + 150;
    if (level.bytes > this.#most) await this.#part(height);
  }

  #store({ bytes, height, statistics }: EncodedNode): BtreeNodeReference {
    return { location: this.#writer.append(bytes, "btree"), height, statistics };
  }
}

function copied(row: BtreeNode, start: number, end: number): LeafBuilder | InteriorBuilder {
  if ("children" in row) {
    const builder = new InteriorBuilder(row.height);
    builder.copy(row, start, end);
    return builder;
  }
  const builder = new LeafBuilder();
  builder.copy(row, start, end);
  return builder;
}

function part(row: BtreeNode, start: number, end: number): BtreeNode {
  return copied(row, start, end).finish();
}
