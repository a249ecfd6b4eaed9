/**
 * A database and the forks that rely on its files, as far down as there are any.
 *
 * The members see one another's files under different names; {@link Member.physical} gives each file one name.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { forkDataPrefix, forkStack } from "../fork/layout.ts";
import type { OpenFolder } from "../fork/open.ts";
import { type ForkLocation, type ForkRegistration, folderInside, listRegistrations } from "../fork/registry.ts";
import { MANIFEST_KEY } from "../format/index.ts";
import type { NameFile } from "./reach.ts";

export interface Member {
  /** `undefined`: the database that the family begins with. */
  readonly registration: ForkRegistration | undefined;
  readonly store: KvStore;
  /** A path as this member calls it, to the name that all members share. */
  readonly physical: NameFile;
}

/** A registered fork, and what ends its store. */
interface OpenMember {
  readonly member: Member;
  readonly close: () => Promise<void>;
}

export interface FamilyOptions {
  /** Opens the folders of forks that lie outside of their base. */
  readonly openFolder?: OpenFolder;
  /**
   * Forks that were not made by `fork`, as the store that their database is opened on: a stack that shows the files of the base under their
   * own names. They are left open.
   */
  readonly unregistered?: readonly KvStore[];
  readonly signal?: AbortSignal;
}

/** What becomes of a fork of which it cannot be told what it needs. */
type OnUnknown = (error: OcdbtError) => void;

const refuse: OnUnknown = (error) => {
  throw error;
};

/**
 * The database in `store`, its registered forks, and theirs. What is opened for it is closed by it: a fork's folder once the fork and all
 * forks of it have been gone through, or when the caller stops before.
 *
 * @param onUnknown is told, with `unsafe`, when a registration or a fork's manifest cannot be found or read: what that fork needs is not
 * known. Unless it throws, as it does unless told, the others follow.
 */
export async function* familyOf(
  store: KvStore,
  options: FamilyOptions,
  onUnknown: OnUnknown = refuse,
): AsyncGenerator<Member> {
  const root: Member = { registration: undefined, store, physical: (path) => path };
  yield root;
  yield* forksOf(root, options, onUnknown);
  for (const other of options.unregistered ?? []) {
    const fork: Member = { ...root, registration: undefined, store: other };
    if (
      (await other.read(MANIFEST_KEY, {
        range: { offset: 0, length: 0 },
        ...(options.signal && { signal: options.signal }),
      })) === undefined
    ) {
      onUnknown(unsafe(other.url, `it has no ${MANIFEST_KEY}`));
      continue;
    }
    yield fork;
    yield* forksOf(fork, options, onUnknown);
  }
}

async function* forksOf(parent: Member, options: FamilyOptions, onUnknown: OnUnknown): AsyncGenerator<Member> {
  const { signal } = options;
  for await (const { id, registration, error } of listRegistrations(parent.store, signal)) {
    if (registration === undefined) {
      onUnknown(unsafe(id, error.message, error));
      continue;
    }
    const opened = await openMember(parent, registration, options);
    if (opened === undefined) {
      const { url } = registration.location as Extract<ForkLocation, { readonly url: string }>;
      onUnknown(unsafe(id, `its folder ${url} lies elsewhere and was not opened; pass openFolder`));
      continue;
    }
    try {
      const { member } = opened;
      const range = { offset: 0, length: 0 };
      const manifest = await member.store.read(MANIFEST_KEY, { range, ...(signal && { signal }) });
      if (manifest !== undefined) {
        yield member;
        yield* forksOf(member, options, onUnknown);
        continue;
      }
    } finally {
      await opened.close();
    }
    // Its manifest goes first, so it needs nothing any more.
    if (registration.dropping) continue;
    onUnknown(
      unsafe(id, `it has no ${MANIFEST_KEY}: it is being made, or was lost; finish it, bring it back, or drop it`),
    );
  }
}

/** `undefined`: its folder lies elsewhere, and was not opened. */
async function openMember(
  parent: Member,
  registration: ForkRegistration,
  { openFolder }: FamilyOptions,
): Promise<OpenMember | undefined> {
  const { id, location } = registration;
  const own = forkDataPrefix(id);
  if ("path" in location) {
    const folder = folderInside(parent.store, location)!;
    const physical: NameFile = (path) => parent.physical(path.startsWith(own) ? location.path + path : path);
    return { member: { registration, store: forkStack(parent.store, folder, id), physical }, close: async () => {} };
  }
  const folder = await openFolder?.(location);
  if (folder === undefined) return undefined;
  const physical: NameFile = (path) => (path.startsWith(own) ? `${location.url}|${path}` : parent.physical(path));
  return {
    member: { registration, store: forkStack(parent.store, folder, id), physical },
    close: async () => await folder.close(),
  };
}

function unsafe(id: string, why: string, cause?: unknown): OcdbtError {
  const message = `it is not known which files fork ${id} needs, so none can be removed: ${why}`;
  return new OcdbtError("unsafe", message, { fields: { id }, ...(cause === undefined ? {} : { cause }) });
}
