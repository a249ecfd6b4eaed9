/**
 * Which data files the versions of a manifest need: the mark of mark and sweep. Nodes that versions or forks share are visited once.
 * @module
 */
import type { BtreeNodeReference, DataFileId, Manifest, VersionNodeReference } from "../format/types.ts";
import { fileName, locationName } from "../io/node-reader.ts";
import { withOwnSignal } from "../own-signal.ts";
import type { NodeReader } from "../parts.ts";
import { drain } from "./progress.ts";

/** A name for a file that is the same for all members of a family of databases. */
export type NameFile = (path: string) => string;

type Pending = { readonly version: VersionNodeReference } | { readonly tree: BtreeNodeReference };

/** Collects files. Memory grows with the number of files and of nodes. */
export class Reach {
  /** Names of needed files. */
  readonly files: Set<string> = new Set();
  readonly #visited = new Set<string>();

  /** Nodes visited so far. */
  get nodes(): number {
    return this.#visited.size;
  }

  /**
   * Marks everything that any version of `manifest` needs.
   *
   * @param options `onFile` is told the files, as the database calls them, to which something leads that was not marked before. `onError` is
   * told what cannot be read; the marking then goes on without it.
   * @throws `OcdbtError` when something of it cannot be read and there is no `onError`
   */
  async mark(
    manifest: Manifest,
    nodes: NodeReader,
    name: NameFile,
    options: {
      readonly signal?: AbortSignal;
      readonly onNode?: () => void;
      readonly onFile?: (path: string) => void;
      readonly onError?: (error: unknown) => void;
    } = {},
  ): Promise<void> {
    const queue: Pending[] = [];
    const told = new Set<string>();
    const keep = (file: DataFileId): void => {
      const path = fileName(file);
      if (told.has(path)) return;
      told.add(path);
      this.files.add(name(path));
      options.onFile?.(path);
    };
    const add = (pending: Pending): void => {
      const location = "version" in pending ? pending.version.location : pending.tree.location;
      if (location === undefined) return;
      // What a node's references mean depends on the base path it is reached by.
      const node = `${location.file.basePath.length}:${name(locationName(location))}`;
      if (this.#visited.has(node)) return;
      this.#visited.add(node);
      keep(location.file);
      queue.push(pending);
    };
    for (const version of manifest.versionNodes) add({ version });
    for (const { root } of manifest.versions) add({ tree: root });
    const visit = async (pending: Pending, own: { readonly signal?: AbortSignal }): Promise<void> => {
      options.onNode?.();
      if ("version" in pending) {
        const node = await nodes.versionNode(pending.version, own);
        if ("versions" in node) for (const { root } of node.versions) add({ tree: root });
        else for (const version of node.children) add({ version });
        return;
      }
      const node = await nodes.btreeNode(pending.tree, own);
      if ("children" in node) for (const tree of node.children) add({ tree });
      else for (const file of node.files) keep(file);
    };
    const { onError } = options;
    const visitOrTell = async (pending: Pending): Promise<void> => {
      try {
        await withOwnSignal(options.signal, (own) => visit(pending, own));
      } catch (error) {
        if (onError === undefined) throw error;
        onError(error);
      }
    };
    await drain(queue, visitOrTell, options);
  }
}
