import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type {
  AnyReadOptions,
  Capabilities,
  ConditionalReadOptions,
  Key,
  KeyHold,
  KeyRange,
  KvStore,
  ListEntry,
  ListOptions,
  ReadOptions,
  ReadResult,
  StagedValue,
  WriteOptions,
  WriteResult,
} from "../contract.ts";
import { KvStoreError } from "../errors.ts";
import { isEmptyRange, keyBytes, listRange, printKey } from "../keys.ts";
import type { KvStoreSpecObject } from "../spec.ts";
import { translate } from "./errors.ts";
import { Folders } from "./folders.ts";
import { FileHold } from "./hold.ts";
import { lockfileLocking } from "./lock/lockfile.ts";
import type { HeldLock, Locking } from "./lock/locking.ts";
import { osLocking } from "./lock/os.ts";
import { checkKey, childPath, parentPath } from "./paths.ts";
import { Queue } from "./queue.ts";
import { readFileValue } from "./read.ts";
import { StagedFile } from "./temporary.ts";
import { walkFiles } from "./walk.ts";
import { confirmFolder, lockFile, removeFile, replaceFile, stageValue } from "./write.ts";

export interface FileDriverOptions {
  /**
   * Sync files and folders to the disk before a write resolves. On by default; turn it off only for output that can be made
   * again: after a power failure such files may be missing or empty.
   */
  readonly fsync?: boolean;
  /**
   * How processes keep out of each other's way; all that write must do it in the same way, TensorStore's included
   * (`file_io_locking`).
   * - `"os"`, the default: locks of the kernel, which end with their holder.
   * - `"lockfile"`: the presence of a file is the lock, for file systems and platforms without those. A killed holder is waited for
   *   until its file is a minute old.
   */
  readonly locking?: "os" | "lockfile";
}

/** How many files `deleteRange` deletes at a time. */
const parallelDeletions = 16;

/**
 * A store in the folder `root` (a path or `file:` URL), one file per key; the folder is made by the first write.
 *
 * Writes are atomic and durable, and with {@link WriteOptions.ifGeneration} exact across processes on one machine, also when
 * any of them is killed. A key and the same key followed by a slash and more cannot both exist, since one is a file where
 * the other needs a folder: `bad-key`.
 */
export function fileKvStore(root: string | URL, options: FileDriverOptions = {}): KvStore {
  return new FileKvStore(resolve(root instanceof URL ? fileURLToPath(root) : root), options);
}

class FileKvStore implements KvStore {
  readonly capabilities: Capabilities;
  readonly url: string;
  readonly spec: KvStoreSpecObject;
  readonly #root: Buffer;
  readonly #fsync: boolean;
  readonly #locking: Locking;
  readonly #folders: Folders;
  /** By path, so that writers in this process take turns instead of polling for the lock. */
  readonly #turns = new Map<string, Queue>();
  readonly #holds = new Set<FileHold>();
  #closed = false;

  constructor(root: string, { fsync = true, locking = "os" }: FileDriverOptions) {
    const folder = root.endsWith("/") ? root : `${root}/`;
    this.url = pathToFileURL(folder).href;
    this.spec = {
      driver: "file",
      path: folder,
      ...(fsync ? {} : { file_io_sync: false }),
      ...(locking === "os" ? {} : { file_io_locking: { mode: locking } }),
    };
    this.#root = Buffer.from(root);
    this.#fsync = fsync;
    this.#locking = locking === "os" ? osLocking : lockfileLocking;
    this.#folders = new Folders(this.#root, fsync, this.#locking);
    const { isExclusive } = this.#locking;
    this.capabilities = {
      writable: true,
      ...(isExclusive ? { conditionalWrites: true } : {}),
      list: true,
      batchesReads: true,
    };
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    const path = this.#path(key, options.signal);
    try {
      return await readFileValue(path, options);
    } catch (error) {
      throw translate(error, "read", this.url, key);
    }
  }

  async write(key: Key, value: Uint8Array | null, options: WriteOptions = {}): Promise<WriteResult> {
    const path = this.#path(key, options.signal);
    if (options.ifGeneration !== undefined && !this.#locking.isExclusive) {
      throw new KvStoreError(
        "unsupported",
        `conditional write of ${printKey(key)} in ${this.url}: fs-native-extensions has no file locks for ` +
          `${process.platform}-${process.arch}; use locking: "lockfile"`,
        { url: this.url, key: printKey(key) },
      );
    }
    const staged =
      options.staged instanceof StagedFile && options.staged.path.equals(path) ? options.staged : undefined;
    const change = async (held?: HeldLock): Promise<WriteResult> => {
      options.signal?.throwIfAborted();
      const context = { folders: this.#folders, locking: this.#locking, fsync: this.#fsync, ...options, held, staged };
      if (value !== null) return await replaceFile(path, value, context);
      const result = await removeFile(path, context);
      if (result.written && this.#fsync) await confirmFolder(parentPath(path));
      return result;
    };
    const { hold } = options;
    const inTurn = (): Promise<WriteResult> => this.#inTurn(path, () => change(), options.signal);
    try {
      if (!(hold instanceof FileHold && hold.path.equals(path))) return await inTurn();
      return await hold.use((held) => (held === undefined ? inTurn() : change(held)), options.signal);
    } catch (error) {
      throw translate(error, value === null ? "delete" : "write", this.url, key);
    }
  }

  /** As the file that the write will rename. Without syncing there is nothing to gain. */
  async stage(
    key: Key,
    value: Uint8Array,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<StagedValue | undefined> {
    const path = this.#path(key, options.signal);
    if (!this.#fsync) return undefined;
    try {
      return await stageValue(path, value, { folders: this.#folders, locking: this.#locking, ...options });
    } catch (error) {
      throw translate(error, "stage", this.url, key);
    }
  }

  /** By the lock that writes of the key are made under: TensorStore waits for it, too. */
  async hold(key: Key, options: { readonly signal?: AbortSignal } = {}): Promise<KeyHold | undefined> {
    const path = this.#path(key, options.signal);
    if (!this.#locking.isExclusive) return undefined;
    const context = { folders: this.#folders, locking: this.#locking, ...options };
    try {
      return await new Promise<KeyHold>((resolve, reject) => {
        const inTurn = async (): Promise<void> => {
          this.#check(options.signal);
          const hold = new FileHold(path, await lockFile(path, context));
          this.#holds.add(hold);
          if (this.#closed) hold.release();
          resolve(hold);
          await hold.ended;
          this.#holds.delete(hold);
        };
        this.#inTurn(path, inTurn, options.signal).catch(reject);
      });
    } catch (error) {
      throw translate(error, "hold", this.url, key);
    }
  }

  async *list(options: ListOptions = {}): AsyncGenerator<ListEntry> {
    this.#check(options.signal);
    const range = listRange(options);
    if (isEmptyRange(range)) return;
    try {
      for await (const { key } of walkFiles(this.#root, new Uint8Array(0), range, { signal: options.signal })) {
        yield { key };
      }
    } catch (error) {
      throw translate(error, "list", this.url);
    }
  }

  /**
   * Deletes the files that are there when the walk comes to them, each under its lock, and folders that have become empty.
   * Files written meanwhile by others may stay.
   */
  async deleteRange(range: KeyRange, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#check(options.signal);
    if (isEmptyRange(range)) return;
    const { signal } = options;
    const deletions = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const remove = async (path: Buffer): Promise<void> => {
      try {
        await this.#inTurn(path, () => removeFile(path, { locking: this.#locking, signal }), signal);
      } catch (error) {
        failures.push(error);
      }
    };
    const leaveFolder = async (folder: Buffer): Promise<void> => {
      await Promise.all(deletions);
      if (failures.length > 0) throw failures[0];
      await this.#folders.sweep(folder);
      if (await this.#folders.removeIfEmpty(folder)) return;
      if (this.#fsync) await confirmFolder(folder);
    };
    try {
      for await (const { path } of walkFiles(this.#root, new Uint8Array(0), range, { signal, leaveFolder })) {
        const deletion: Promise<void> = remove(path).finally(() => deletions.delete(deletion));
        deletions.add(deletion);
        if (deletions.size >= parallelDeletions) await Promise.race(deletions);
        if (failures.length > 0) throw failures[0];
      }
    } catch (error) {
      throw translate(error, "delete a range of", this.url);
    } finally {
      await Promise.all(deletions);
    }
  }

  /** Releases the holds and waits for the writes under way; later calls reject with `closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const hold of this.#holds) hold.release();
    await Promise.all([...this.#turns.values()].map((queue) => queue.done()));
  }

  #path(key: Key, signal: AbortSignal | undefined): Buffer {
    this.#check(signal);
    const bytes = keyBytes(key);
    checkKey(bytes, this.url);
    return childPath(this.#root, bytes);
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new KvStoreError("closed", `${this.url} was closed`, { url: this.url });
  }

  async #inTurn<T>(path: Buffer, action: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const name = path.toString("latin1");
    const queue = this.#turns.get(name) ?? new Queue(() => this.#turns.delete(name));
    this.#turns.set(name, queue);
    return await queue.run(action, signal);
  }
}
