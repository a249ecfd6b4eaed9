import type { Bytes } from "./contract.ts";

interface Entry<V> {
  readonly key: Bytes;
  readonly value: V;
}

/** Longest run of names kept in one block; an insertion moves at most this many. */
const BLOCK = 512;

/**
 * A map from byte strings, in bytewise order. Keys are looked up by their Latin-1 names, whose order as strings is the
 * order of the bytes; the names are kept sorted in short blocks.
 */
export class SortedMap<V> {
  private readonly entries = new Map<string, Entry<V>>();
  private blocks: string[][] = [];

  get(key: Bytes): V | undefined {
    return this.entries.get(nameOf(key))?.value;
  }

  set(key: Bytes, value: V): void {
    const name = nameOf(key);
    const present = this.entries.get(name);
    this.entries.set(name, { key: present?.key ?? key.slice(), value });
    if (present === undefined) this.insert(name);
  }

  delete(key: Bytes): void {
    const name = nameOf(key);
    if (!this.entries.delete(name)) return;
    const b = this.blockOf(name);
    const block = this.blocks[b]!;
    block.splice(lowerBound(block, name), 1);
    if (block.length === 0) this.blocks.splice(b, 1);
  }

  /** At most `limit` entries with start <= key < end, in order. */
  range(start: Bytes, end: Bytes | undefined, limit: number): Entry<V>[] {
    const first = nameOf(start);
    const last = end === undefined ? undefined : nameOf(end);
    const found: Entry<V>[] = [];
    for (let b = this.blockOf(first); b < this.blocks.length; b++) {
      const block = this.blocks[b]!;
      for (let i = found.length === 0 ? lowerBound(block, first) : 0; i < block.length; i++) {
        if (found.length >= limit || (last !== undefined && block[i]! >= last)) return found;
        found.push(this.entries.get(block[i]!)!);
      }
    }
    return found;
  }

  clear(): void {
    this.entries.clear();
    this.blocks = [];
  }

  private insert(name: string): void {
    if (this.blocks.length === 0) this.blocks.push([]);
    const b = Math.min(this.blockOf(name), this.blocks.length - 1);
    const block = this.blocks[b]!;
    block.splice(lowerBound(block, name), 0, name);
    if (block.length > BLOCK) this.blocks.splice(b + 1, 0, block.splice(BLOCK >>> 1));
  }

  /** The first block whose last name is not before `name`. */
  private blockOf(name: string): number {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.blocks[middle]!.at(-1)! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nameOf(key: Bytes): string {
  let name = "";
  for (let i = 0; i < key.length; i++) name += String.fromCharCode(key[i]!);
  return name;
}
