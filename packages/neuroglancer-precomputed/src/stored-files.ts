/**
 * Whole files of a volume as local writers leave them: `name`, or `name.gz`, `name.br`, `name.zstd` holding it compressed
 * (CloudFiles, and so cloud-volume, writes these where a web server would say `Content-Encoding`). A gzip body under a
 * plain name is unpacked too: some stores hand over what they hold.
 * @module
 */
import { gunzip, isGzip } from "@pcg/codecs/gzip";
import { zstdDecompress } from "@pcg/codecs/zstd";
import type { Generation, KvStore, ReadResult, WriteResult } from "@pcg/kvstore";
import { corrupt, PrecomputedError } from "./errors.ts";

const SUFFIXES = ["", ".gz", ".br", ".zstd"] as const;
type Suffix = (typeof SUFFIXES)[number];

export interface StoredFile {
  /** Unpacked. */
  readonly bytes: Uint8Array;
  /** Generation of the plain name, as a condition for writing it: `null` (absent) when the file was found under a suffix. */
  readonly generation: Generation | null;
}

/**
 * Reads and writes whole files under either name. The suffix that worked last is tried first, so a present file costs one
 * read. An absent one costs a read of every name, except in a store that cannot list (http): there the first file found
 * settles the suffix for all.
 */
export class StoredFiles {
  private readonly store: KvStore;
  private lastFound: Suffix | undefined;

  constructor(store: KvStore) {
    this.store = store;
  }

  /**
   * @param maxBytes most bytes the unpacked file may have
   * @param mayBeGzip whether a body that begins like gzip is taken for gzip, by its length
   */
  async read(
    key: string,
    maxBytes: number,
    options: { readonly signal?: AbortSignal | undefined; readonly mayBeGzip?: (length: number) => boolean },
  ): Promise<StoredFile | undefined> {
    const found = await this.find(key, options.signal, (name) => this.store.read(name, signalOf(options.signal)));
    if (found === undefined) return undefined;
    const { suffix, result } = found;
    const bytes = await unpack(key + suffix, suffix, result.value, maxBytes, options.mayBeGzip ?? (() => true));
    return { bytes, generation: suffix === "" ? result.generation : null };
  }

  async has(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    const range = { offset: 0, length: 1 };
    return (
      (await this.find(key, signal, (name) => this.store.read(name, { range, ...signalOf(signal) }))) !== undefined
    );
  }

  /**
   * Writes the plain name, or deletes with `null`; then removes the compressed names, which would be an older content.
   * A failed condition leaves everything as it was.
   */
  async write(
    key: string,
    bytes: Uint8Array | null,
    options: { readonly ifGeneration?: Generation | null | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<WriteResult> {
    const { ifGeneration, signal } = options;
    const condition = ifGeneration === undefined ? {} : { ifGeneration };
    const result = await this.store.write(key, bytes, { ...condition, ...signalOf(signal) });
    if (!result.written) return result;
    await Promise.all(SUFFIXES.slice(1).map((suffix) => this.store.write(key + suffix, null, signalOf(signal))));
    return result;
  }

  /** File names under `folder`, without their suffixes; a file there under two names comes twice. */
  async *list(folder: string, signal: AbortSignal | undefined): AsyncIterable<string> {
    const decoder = new TextDecoder();
    for await (const { key } of this.store.list({ prefix: folder, ...signalOf(signal) })) {
      const name = decoder.decode(key).slice(folder.length);
      const suffix = SUFFIXES.find((s) => s !== "" && name.endsWith(s)) ?? "";
      yield name.slice(0, name.length - suffix.length);
    }
  }

  private async find(
    key: string,
    signal: AbortSignal | undefined,
    read: (name: string) => Promise<ReadResult | undefined>,
  ): Promise<{ suffix: Suffix; result: ReadResult } | undefined> {
    const first = this.lastFound ?? "";
    const result = await read(key + first);
    if (result !== undefined) {
      this.lastFound = first;
      return { suffix: first, result };
    }
    if (this.lastFound !== undefined && this.store.capabilities.list !== true) return undefined;
    for (const suffix of SUFFIXES) {
      if (suffix === first) continue;
      signal?.throwIfAborted();
      const other = await read(key + suffix);
      if (other !== undefined) {
        this.lastFound = suffix;
        return { suffix, result: other };
      }
    }
    return undefined;
  }
}

/** Options that hold a signal only when there is one. */
export function signalOf(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function unpack(
  key: string,
  suffix: Suffix,
  bytes: Uint8Array,
  maxBytes: number,
  mayBeGzip: (length: number) => boolean,
): Promise<Uint8Array> {
  try {
    if (suffix === ".gz" || (suffix === "" && isGzip(bytes) && mayBeGzip(bytes.length)))
      return gunzip(bytes, { maxBytes });
    if (suffix === ".zstd") return await zstdDecompress(bytes, { maxBytes });
    if (suffix === ".br") return brotli(bytes, maxBytes);
  } catch (cause) {
    if (cause instanceof PrecomputedError) throw cause;
    throw corrupt(`${key}: ${(cause as Error).message}`, { key }, cause);
  }
  if (bytes.length > maxBytes) throw corrupt(`${key}: ${bytes.length} bytes, at most ${maxBytes} make sense`, { key });
  return bytes;
}

/** Brotli by Node's zlib, reached without an import so that this file loads in browsers, which have no brotli to offer. */
function brotli(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const zlib = globalThis.process?.getBuiltinModule?.("node:zlib");
  if (zlib === undefined) {
    throw new PrecomputedError(
      "UNSUPPORTED",
      "brotli files (.br) can be read in Node only; store the chunks as .gz or plain",
    );
  }
  return new Uint8Array(zlib.brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, maxBytes) }));
}
