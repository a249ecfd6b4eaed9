/**
 * Values carried from one database to another that cannot refer to them.
 * @module
 */
import { ChangeSet } from "../commit/changes.ts";
import type { OcdbtDatabase } from "../contract.ts";
import type { IndirectReference } from "../format/types.ts";
import type { Change } from "../history/diff.ts";
import type { StoredValue } from "../history/tree-cursor.ts";
import { locationName } from "../io/node-reader.ts";
import type { DataFileWriter, WrittenApart } from "../parts.ts";

/** Copied values that may wait in memory. */
const maxPendingBytes = 64 * 2 ** 20;

/** Remembers what it has copied, so that a second attempt copies only what is new. */
export class ValueCopies implements WrittenApart {
  readonly #source: OcdbtDatabase;
  readonly #target: OcdbtDatabase;
  readonly #signal: AbortSignal | undefined;
  readonly #copied = new Map<string, StoredValue>();
  #writer: DataFileWriter | undefined;

  constructor(source: OcdbtDatabase, target: OcdbtDatabase, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#target = target;
    this.#signal = signal;
  }

  get files(): readonly string[] {
    return this.#writer?.begun ?? [];
  }

  forget(): void {
    this.#copied.clear();
    this.#writer = undefined;
  }

  /** The changes with values the target can refer to, all of them durable. */
  async place(
    changes: readonly Change[],
    inTarget: (value: StoredValue) => StoredValue | undefined | Promise<StoredValue | undefined>,
  ): Promise<ChangeSet> {
    const set = new ChangeSet();
    for (const { key, after } of changes) {
      const value =
        after === undefined ? null : ((await inTarget(after)) ?? (await this.#copy(after as IndirectReference)));
      set.set({ key, value });
    }
    await this.#writer?.flush(this.#cancel);
    return set;
  }

  async #copy(value: IndirectReference): Promise<StoredValue> {
    const name = locationName(value);
    const known = this.#copied.get(name);
    if (known !== undefined) return known;
    const bytes = await this.#source.parts.nodes.value(value, this.#cancel);
    const copy = bytes.length <= this.#target.config.maxInlineValueBytes ? bytes : this.#append(bytes);
    this.#copied.set(name, copy);
    if ((this.#writer?.pendingBytes ?? 0) > maxPendingBytes) await this.#writer!.flush(this.#cancel);
    return copy;
  }

  #append(bytes: Uint8Array): IndirectReference {
    this.#writer ??= this.#target.parts.newDataFileWriter();
    return this.#writer.append(bytes, "value");
  }

  get #cancel(): { readonly signal?: AbortSignal } {
    return this.#signal === undefined ? {} : { signal: this.#signal };
  }
}
