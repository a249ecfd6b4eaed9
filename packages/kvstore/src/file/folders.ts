/**
 * Folders of a store: made durably, swept of what killed writers left, removed when empty.
 * @module
 */
import { closeSync, constants } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { openNow } from "./descriptors.ts";
import { syncFile } from "./disk.ts";
import { systemCode } from "./errors.ts";
import type { Locking } from "./lock/locking.ts";
import { parentPath } from "./paths.ts";
import { sweepFolder } from "./sweep.ts";

/** How many folders are remembered as made and durable before the memory starts over. */
const maxRemembered = 10_000;

/** Makes a folder's entries durable. */
export async function syncFolder(path: Buffer): Promise<void> {
  // Windows has no such call; its rename is durable by the journal.
  if (process.platform === "win32") return;
  // Opened each time, for a folder may have been removed and made again.
  const folder = openNow(path, constants.O_RDONLY);
  try {
    await syncFile(folder);
  } finally {
    closeSync(folder);
  }
}

/** The folders below (and of) one root. */
export class Folders {
  readonly #root: Buffer;
  readonly #fsync: boolean;
  readonly #locking: Locking;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(root: Buffer, fsync: boolean, locking: Locking) {
    this.#root = root;
    this.#fsync = fsync;
    this.#locking = locking;
  }

  /**
   * Makes sure that a folder, and every one above it up to the root, exists and is durable. The first time in each folder
   * also removes what killed writers left there.
   */
  ensure(path: Buffer): Promise<void> {
    const name = path.toString("latin1");
    let ready = this.#ready.get(name);
    if (ready === undefined) {
      if (this.#ready.size >= maxRemembered) this.#ready.clear();
      ready = this.#make(path);
      this.#ready.set(name, ready);
      ready.catch(() => this.#ready.delete(name));
    }
    return ready;
  }

  /** Forgets a folder that turned out to be gone, and those above it. */
  forget(path: Buffer): void {
    for (let folder = path; ; folder = parentPath(folder)) {
      this.#ready.delete(folder.toString("latin1"));
      if (folder.length <= this.#root.length) return;
    }
  }

  /** Removes a folder if it is empty; the root stays. @returns whether it is gone. */
  async removeIfEmpty(path: Buffer): Promise<boolean> {
    if (path.length <= this.#root.length) return false;
    try {
      await rmdir(path);
    } catch (error) {
      const code = systemCode(error);
      // Not empty, a mount point, or a link to a folder.
      if (code === "ENOTEMPTY" || code === "EEXIST" || code === "EBUSY" || code === "ENOTDIR") return false;
      if (code !== "ENOENT") throw error;
    }
    this.#ready.delete(path.toString("latin1"));
    return true;
  }

  /** Removes abandoned locks and unfinished values directly in a folder. */
  async sweep(path: Buffer): Promise<void> {
    await sweepFolder(path, this.#locking);
  }

  async #make(path: Buffer): Promise<void> {
    if (path.length <= this.#root.length) await this.#makeRoot(path);
    else {
      const parent = parentPath(path);
      await this.ensure(parent);
      try {
        await mkdir(path);
      } catch (error) {
        if (systemCode(error) === "ENOENT") this.forget(parent);
        if (systemCode(error) !== "EEXIST") throw error;
      }
      // Also when another process made it: that process may not have come to this yet.
      if (this.#fsync) await syncFolder(parent);
    }
    await this.sweep(path);
  }

  async #makeRoot(path: Buffer): Promise<void> {
    const made = await mkdir(path, { recursive: true });
    if (made === undefined || !this.#fsync) return;
    const first = parentPath(Buffer.from(made));
    for (let folder = parentPath(path); ; folder = parentPath(folder)) {
      await syncFolder(folder);
      if (folder.length <= first.length) return;
    }
  }
}
