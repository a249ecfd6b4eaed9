/**
 * How much memory nodes take on their way from the store to whoever asked for them. A few kilobytes can be a node of 250 MiB, and many
 * may be asked for at once.
 *
 * What counts is what is under way: stored bytes while they are read and until they are decoded, and decoded nodes until the end of
 * the turn of the event loop in which they are handed over. Most are looked at in that turn and dropped. Whoever keeps one longer
 * (the cache, a walk on its way down) bounds that itself and holds no part of the budget, so that nobody waits for another for ever.
 * @module
 */
import type { BtreeNode, VersionNode } from "../format/types.ts";
import { nextTurn } from "../next-turn.ts";
import { nodeBytes } from "./node-bytes.ts";
import { Semaphore } from "./semaphore.ts";

/** Budget of a database, bytes. */
export const DEFAULT_DECODE_BYTES: number = 64 << 20;

export class DecodeBudget {
  readonly #maxBytes: number;
  readonly #stored: Semaphore;
  /** Nodes are decoded one after the other: they are so anyway, in one thread. */
  readonly #decoding = new Semaphore(1);
  /** Memory of the nodes that were decoded since a turn was left to others. */
  #decoded = 0;

  /** @param maxBytes of stored bytes, and of decoded nodes. A larger node has it for itself; the decoder bounds that one. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#stored = new Semaphore(maxBytes);
  }

  /** Reads and decodes a node of `storedBytes`. */
  async load<T extends BtreeNode | VersionNode>(
    storedBytes: number,
    read: () => Promise<Uint8Array>,
    decode: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T> {
    if (!this.#stored.tryEnter(storedBytes)) await this.#stored.enter(storedBytes);
    try {
      return await this.decode(await read(), decode);
    } finally {
      this.#stored.leave(storedBytes);
    }
  }

  /** Reads the bytes of a node that the caller keeps until they are to be decoded. */
  async read(storedBytes: number, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return await this.#stored.run(read, storedBytes);
  }

  async decode<T extends BtreeNode | VersionNode>(
    bytes: Uint8Array,
    decode: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T> {
    if (!this.#decoding.tryEnter()) await this.#decoding.enter();
    try {
      if (this.#decoded >= this.#maxBytes) {
        await nextTurn();
        this.#decoded = 0;
      }
      const node = await decode(bytes);
      this.#decoded += nodeBytes(node);
      return node;
    } finally {
      this.#decoding.leave();
    }
  }
}
