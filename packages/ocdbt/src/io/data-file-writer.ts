/**
 * New data files: bytes are appended in memory and named at once; `flush` writes the files, each under a fresh random name
 * that nobody had before, and resolves when they are durable. Nothing may refer to them earlier.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/byte-path.ts";
import type { DataFileId, IndirectReference } from "../format/types.ts";
import type { DataFileWriter } from "../parts.ts";
import { putIf } from "./put-if.ts";
import { randomHex } from "./random-hex.ts";

export type DataKind = "value" | "btree" | "version-tree";

/** Prefixes of new data files; kinds with the same prefix share a file. They are nowhere stored but in references. */
export type DataPrefixes = Readonly<Record<DataKind, string>>;

export const DEFAULT_PREFIXES: DataPrefixes = { value: "d/", btree: "d/", "version-tree": "d/" };

export interface DataFileWriterOptions {
  readonly prefixes: DataPrefixes;
  /** A file that has reached this size is written, and the next begun. */
  readonly targetFileBytes: number;
}

class OpenFile {
  readonly id: DataFileId;
  readonly pieces: Uint8Array[] = [];
  length = 0;

  constructor(id: DataFileId) {
    this.id = id;
  }

  /** Everything in one piece; a single piece is not copied. */
  join(): Uint8Array {
    if (this.pieces.length === 1) return this.pieces[0]!;
    const joined = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }
}

export function createDataFileWriter(store: KvStore, options: DataFileWriterOptions): DataFileWriter {
  return new Writer(store, options);
}

class Writer implements DataFileWriter {
  readonly files: string[] = [];
  readonly begun: string[] = [];
  readonly #store: KvStore;
  readonly #options: DataFileWriterOptions;
  /** By prefix. */
  readonly #open = new Map<string, OpenFile>();
  readonly #writes = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  /** One a file that is being written: signals warn of many listeners. */
  readonly #stops = new Set<AbortController>();
  #stopped: { readonly reason: unknown } | undefined;
  #pendingBytes = 0;

  constructor(store: KvStore, options: DataFileWriterOptions) {
    this.#store = store;
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  append(bytes: Uint8Array, kind: DataKind): IndirectReference {
    const prefix = this.#options.prefixes[kind];
    let file = this.#open.get(prefix);
    if (file !== undefined && file.length > 0 && file.length + bytes.length > this.#options.targetFileBytes) {
      this.#start(prefix, file);
      file = undefined;
    }
    if (file === undefined) {
      file = new OpenFile({ basePath: "", relativePath: prefix + randomHex() });
      this.#open.set(prefix, file);
      this.files.push(file.id.relativePath);
    }
    const reference = { file: file.id, offset: file.length, length: bytes.length };
    file.pieces.push(bytes);
    file.length += bytes.length;
    this.#pendingBytes += bytes.length;
    return reference;
  }

  async flush(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    signal?.throwIfAborted();
    const stop = (): void => {
      const { reason } = signal!;
      this.#stopped = { reason };
      for (const one of this.#stops) one.abort(reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (const [prefix, file] of this.#open) this.#start(prefix, file);
      while (this.#writes.size > 0) await Promise.all(this.#writes);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    signal?.throwIfAborted();
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  #start(prefix: string, file: OpenFile): void {
    this.#open.delete(prefix);
    this.begun.push(file.id.relativePath);
    const stop = new AbortController();
    this.#stops.add(stop);
    if (this.#stopped !== undefined) stop.abort(this.#stopped.reason);
    const write: Promise<void> = this.#write(file, stop.signal)
      .catch((error: unknown) => {
        this.#failures.push(error);
      })
      .finally(() => {
        this.#writes.delete(write);
        this.#stops.delete(stop);
        this.#pendingBytes -= file.length;
      });
    this.#writes.add(write);
  }

  async #write(file: OpenFile, signal: AbortSignal): Promise<void> {
    const key = pathToBytes(file.id.relativePath);
    const bytes = file.join();
    if (!this.#store.capabilities.conditionalWrites) {
      await this.#store.write(key, bytes, { signal });
      return;
    }
    const outcome = await putIf(this.#store, key, bytes, null, { signal, unique: true });
    if (outcome.kind === "written") return;
    // Nothing refers to the file yet, so nothing is in doubt.
    if (outcome.kind === "unknown") throw outcome.error;
    throw new OcdbtError(
      "corrupt",
      `data file ${file.id.relativePath} exists although its name is random; nothing refers to it yet, try again`,
      { fields: { file: file.id.relativePath } },
    );
  }
}
