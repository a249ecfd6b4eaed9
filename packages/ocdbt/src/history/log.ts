/**
 * The log of a database: its versions with what was said about them. A fork's begins with its base's.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { OcdbtDatabase } from "../contract.ts";
import { readOrigin } from "../fork/registry.ts";
import type { VersionEntry } from "../format/types.ts";
import { type CommitMessage, readMessage, versionsWithMessages } from "./messages.ts";
import { type VersionRange, versions } from "./versions.ts";

/** One version in the log. */
export interface LogEntry extends CommitMessage {
  readonly generation: bigint;
  /** ns since the epoch. */
  readonly commitTime: bigint;
  readonly numKeys: bigint;
  /** Bytes of the tree's nodes, with the values in them. */
  readonly treeBytes: bigint;
  /** Bytes of the values outside of nodes. */
  readonly valueBytes: bigint;
}

/** Versions whose messages are looked up together. */
const pageLength = 64;

/** Where the messages of some generations lie. */
interface Chapter {
  readonly refs: string;
  readonly uuid: string;
  /** Up to this generation; `undefined`: all. */
  readonly last: bigint | undefined;
}

/** The versions that are kept, newest first, with messages and authors. Read in pages as they are asked for. */
export async function* log(
  db: OcdbtDatabase,
  options: VersionRange & { readonly signal?: AbortSignal } = {},
): AsyncGenerator<LogEntry> {
  const { store } = db.parts;
  const chapters = await chaptersOf(db, options.signal);
  let page: VersionEntry[] = [];
  for await (const version of versions(db, options)) {
    page.push(version);
    if (page.length < pageLength) continue;
    yield* await withMessages(store, chapters, page, options.signal);
    page = [];
  }
  if (page.length > 0) yield* await withMessages(store, chapters, page, options.signal);
}

/** A fork's messages, then its base's up to where it forked, and so on. */
async function chaptersOf(db: OcdbtDatabase, signal: AbortSignal | undefined): Promise<Chapter[]> {
  const chapters: Chapter[] = [{ refs: "refs/", uuid: db.uuid, last: undefined }];
  for (;;) {
    const { refs, uuid } = chapters.at(-1)!;
    const origin = await readOrigin(db.parts.store, refs, uuid, signal);
    if (origin === undefined) return chapters;
    chapters.push({ refs: `${refs}base/`, uuid: origin.base.uuid, last: origin.base.generation });
  }
}

async function withMessages(
  store: KvStore,
  chapters: readonly Chapter[],
  page: readonly VersionEntry[],
  signal: AbortSignal | undefined,
): Promise<LogEntry[]> {
  const chapterOf = (generation: bigint): Chapter =>
    chapters.findLast(({ last }) => last === undefined || generation <= last)!;
  const used = [...new Set(page.map(({ generation }) => chapterOf(generation)))];
  const known = new Map(
    await Promise.all(
      used.map(async (chapter) => {
        const [first, last] = [page.at(-1)!.generation, page[0]!.generation];
        return [chapter, await versionsWithMessages(store, chapter.refs, first, last, signal)] as const;
      }),
    ),
  );
  return await Promise.all(
    page.map(async (version) => {
      const { generation, commitTime, root } = version;
      const chapter = chapterOf(generation);
      const message = known.get(chapter)!(version)
        ? await readMessage(store, chapter.refs, chapter.uuid, version, signal)
        : undefined;
      const { numKeys, numTreeBytes, numIndirectValueBytes } = root.statistics;
      return {
        generation,
        commitTime,
        numKeys,
        treeBytes: numTreeBytes,
        valueBytes: numIndirectValueBytes,
        ...message,
      };
    }),
  );
}
