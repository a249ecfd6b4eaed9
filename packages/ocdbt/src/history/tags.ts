/**
 * Tags: names of versions, each a file `refs/tags/<name>.json`. A tag pins one generation of one database (by its uuid); it
 * is made once, and moves only by force. Tagged versions outlive `expire`, and their files `sweep`.
 * @module
 */
import { type KvStore, printKey } from "@pcg/kvstore";
import type { OcdbtDatabase, VersionSpec } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { holdVersion } from "./hold-version.ts";
import { checkMessage } from "./messages.ts";
import { type FoundSidecar, now, readSidecar, type SidecarFields, sidecarBytes, sidecarNames } from "./sidecar.ts";
import { requireVersion } from "./versions.ts";

const folder = "refs/tags/";

export interface Tag {
  readonly name: string;
  /** Of the database. */
  readonly uuid: string;
  readonly generation: bigint;
  /** ns since the epoch. */
  readonly commitTime: bigint;
  readonly message?: string;
  readonly author?: string;
  /** When the tag was made or moved, ISO 8601. */
  readonly created: string;
}

export interface TagOptions {
  /** Move a tag that exists. */
  readonly force?: boolean;
  readonly message?: string;
  readonly author?: string;
  readonly signal?: AbortSignal;
}

/** One file under `refs/tags/`: a tag, or why it cannot be read. */
export type ListedTag = { readonly name: string } & (
  | { readonly tag: Tag; readonly error?: never }
  | { readonly tag?: never; readonly error: OcdbtError }
);

/**
 * Refuses what cannot be a tag: names are 1–100 letters, digits, `.`, `_`, `-`, begin with a letter or digit, and are not
 * what a version may look like (`v12`, `2026-04-24…`, `head`).
 *
 * @throws {@link OcdbtError} `bad-spec`
 */
export function checkTagName(name: string): void {
  const reason = !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)
    ? "a name is 1 to 100 letters, digits, dots, underscores and hyphens, and begins with a letter or digit"
    : /^(v?[0-9]+|head|[0-9]{4}-.*)$/i.test(name)
      ? "it reads like a generation, a time or the head"
      : undefined;
  if (reason === undefined) return;
  throw new OcdbtError("bad-spec", `${JSON.stringify(name)} cannot name a tag: ${reason}`, { fields: { name } });
}

/**
 * Names a version (the newest unless told). Making the same tag again changes nothing.
 *
 * An expiry that runs at the same time either sees the tag and keeps the version, or came first: then there is no tag. If one is under way
 * just then, a version with the tree of the newest is added, so that it has to look again.
 *
 * @throws {@link OcdbtError} `already-exists` when the tag names another version and `force` is not set;
 * `version-not-found`, also when the version expired meanwhile.
 */
export async function createTag(
  db: OcdbtDatabase,
  name: string,
  version: VersionSpec = { ancestor: 0 },
  options: TagOptions = {},
): Promise<Tag> {
  checkTagName(name);
  checkMessage(options);
  const { store } = db.parts;
  const { force, message, author, signal } = options;
  const { generation, commitTime } = await requireVersion(db, version, signal);
  const tag: Tag = {
    name,
    uuid: db.uuid,
    generation,
    commitTime,
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    created: now(),
  };
  const bytes = sidecarBytes(tagKey(name), "tag", {
    ...tag,
    generation: String(generation),
    commitTime: String(commitTime),
  });
  for (;;) {
    const found = await findTag(store, name, force === true, signal);
    if (found?.value?.uuid === tag.uuid && found.value.generation === generation) {
      // Whoever made it may have died before this.
      await confirmVersion(db, found.value, found.storeGeneration, signal);
      return found.value;
    }
    if (found !== undefined && !force) throw exists(found.value!, generation);
    const result = await store.write(tagKey(name), bytes, {
      ifGeneration: found?.storeGeneration ?? null,
      ...(signal && { signal }),
    });
    if (result.written) {
      await confirmVersion(db, tag, result.generation, signal);
      return tag;
    }
  }
}

/**
 * The tag of that name. `undefined`: there is none.
 *
 * @throws {@link OcdbtError} `corrupt`, `unsupported`; `version-not-found` when it is the tag of another database, which was
 * here before.
 */
export async function readTag(
  store: KvStore,
  uuid: string,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Tag | undefined> {
  checkTagName(name);
  const tag = (await readSidecar(store, tagKey(name), "tag", (fields) => parse(name, fields), options.signal))?.value;
  if (tag === undefined || tag.uuid === uuid) return tag;
  const message = `tag ${name} names a version of database ${tag.uuid}, and this one is ${uuid}; delete the tag`;
  throw new OcdbtError("version-not-found", message, { fields: { name, uuid, tagged: tag.uuid } });
}

/** All tags in order of name, also those that cannot be read: garbage collection must know of them. */
export async function* listTags(
  store: KvStore,
  uuid: string,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<ListedTag> {
  for await (const name of sidecarNames(store, folder, options.signal)) {
    try {
      const tag = await readTag(store, uuid, name, options);
      if (tag !== undefined) yield { name, tag };
    } catch (error) {
      if (!isOcdbtError(error)) throw error;
      yield { name, error };
    }
  }
}

/** Removes a tag, sound or not; the version stays until it expires. @returns whether there was one. */
export async function deleteTag(
  db: OcdbtDatabase,
  name: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  checkTagName(name);
  const { store } = db.parts;
  for (;;) {
    const found = await store.read(tagKey(name), { range: { offset: 0, length: 0 }, ...options });
    if (found === undefined) return false;
    const result = await store.write(tagKey(name), null, { ifGeneration: found.generation, ...options });
    if (result.written) return true;
  }
}

/** Withdraws the tag when its version expired while it was made. */
async function confirmVersion(
  db: OcdbtDatabase,
  { name, generation }: Tag,
  storeGeneration: string | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cancel = { ...(signal && { signal }) };
  if (await holdVersion(db, generation, `tag ${name}`, cancel)) return;
  await db.parts.store.write(tagKey(name), null, { ifGeneration: storeGeneration, ...cancel });
  const message = `generation ${generation} of ${db.url} expired while tag ${name} was made; there is no tag`;
  throw new OcdbtError("version-not-found", message, { fields: { name, generation } });
}

function tagKey(name: string): string {
  return `${folder}${name}.json`;
}

function parse(name: string, fields: SidecarFields): Tag {
  const message = fields.optionalText("message");
  const author = fields.optionalText("author");
  return {
    name,
    uuid: fields.uuid("uuid"),
    generation: fields.generation("generation"),
    commitTime: fields.uint64("commitTime"),
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    created: fields.text("created"),
  };
}

/** What lies under the name, of whichever database. By force also what cannot be read is replaced. */
async function findTag(
  store: KvStore,
  name: string,
  force: boolean,
  signal: AbortSignal | undefined,
): Promise<FoundSidecar<Tag | undefined> | undefined> {
  try {
    return await readSidecar(store, tagKey(name), "tag", (fields) => parse(name, fields), signal);
  } catch (error) {
    if (!force || !isOcdbtError(error, "corrupt", "unsupported")) throw error;
    const found = await store.read(tagKey(name), { range: { offset: 0, length: 0 }, ...(signal && { signal }) });
    return found && { value: undefined, storeGeneration: found.generation };
  }
}

function exists(tag: Tag, wanted: bigint): OcdbtError {
  const message = `tag ${tag.name} (${printKey(tagKey(tag.name))}) names generation ${tag.generation}, not ${wanted}; move it by force, or choose another name`;
  return new OcdbtError("already-exists", message, { fields: { name: tag.name, generation: tag.generation, wanted } });
}
