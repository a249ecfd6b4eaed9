/**
 * How something that names a version and an expiry that takes it out never pass each other unseen, though no store writes two keys at once.
 *
 * An expiry announces each attempt, `refs/expire/<random>.json`, before it looks who names what; it has read the manifest that it is going to
 * replace by then. Who names a version writes the name first, looks for announcements second, reads the manifest third:
 *
 * - No announcement: an expiry that begins later sees the name; one that has ended is in the manifest that is read.
 * - One of another manifest: the same, since that attempt has succeeded or cannot any more.
 * - One of this very manifest: a version with the same tree is added, so that either the expiry fails and looks again, or came first
 *   and is seen. It may as well be left over from a process that died; from then on it is of another manifest.
 * @module
 */
import type { OcdbtDatabase } from "../contract.ts";
import { isOcdbtError } from "../errors.ts";
import type { Manifest } from "../format/types.ts";
import { randomHex } from "../io/random-hex.ts";
import { fromManifest } from "../view/lost-version.ts";
import { findGeneration } from "../view/resolve-version.ts";
import { readSidecar, type SidecarFields, sidecarBytes, sidecarNames } from "./sidecar.ts";
import { countVersions } from "./versions.ts";

const folder = "refs/expire/";

interface Cancel {
  readonly signal?: AbortSignal;
}

/** Which manifest an expiry is going to replace: two that differ in none of this are taken for the same. */
interface ManifestIdentity {
  readonly uuid: string;
  readonly generation: bigint;
  readonly commitTime: bigint;
  /** How many versions it leads to. */
  readonly versions: bigint;
}

/** The announcement of one expiry. */
export class ExpiryNotice {
  readonly #db: OcdbtDatabase;
  readonly #key = `${folder}${randomHex()}.json`;
  #isWritten = false;

  constructor(db: OcdbtDatabase) {
    this.#db = db;
  }

  /** Tells that `manifest` is about to be replaced. To be called before it is looked which versions are named. */
  async announce(manifest: Manifest, { signal }: Cancel): Promise<void> {
    const { uuid, generation, commitTime, versions } = identityOf(manifest);
    const members = {
      uuid,
      generation: String(generation),
      commitTime: String(commitTime),
      versions: String(versions),
    };
    this.#isWritten = true;
    const bytes = sidecarBytes(this.#key, "expiry", members);
    await this.#db.parts.store.write(this.#key, bytes, { ...(signal && { signal }) });
  }

  /** The expiry is over. Removes what others left behind, too. */
  async withdraw(): Promise<void> {
    const { store, manifests } = this.#db.parts;
    if (!this.#isWritten) return;
    await store.write(this.#key, null);
    const notices = await listNotices(this.#db, {});
    if (notices.length === 0) return;
    const stored = await manifests.read({ maxStalenessMs: 0 });
    for (const { key, of } of notices) {
      if (stored !== undefined && of !== undefined && !isSame(of, identityOf(stored.manifest)))
        await store.write(key, null);
    }
  }
}

/**
 * To be called when something that names `generation` has been written: from then on it does not expire.
 *
 * @param name what names it, for the message of a version that has to be added.
 * @returns `false` when the version has expired already.
 */
export async function holdVersion(
  db: OcdbtDatabase,
  generation: bigint,
  name: string,
  { signal }: Cancel,
): Promise<boolean> {
  const { manifests, nodes } = db.parts;
  const aside = { ...(signal && { signal }) };
  const notices = await listNotices(db, aside);
  const isThere = async (manifest: Manifest): Promise<boolean> =>
    (await findGeneration(manifest, generation, nodes, aside)) !== undefined;
  return await fromManifest(manifests, { maxStalenessMs: 0, ...aside }, async (stored) => {
    if (stored === undefined || !(await isThere(stored.manifest))) return false;
    const identity = identityOf(stored.manifest);
    if (!notices.some(({ of }) => of === undefined || isSame(of, identity))) return true;
    let isHeld = false;
    await db.parts.updateManifest({
      next: async (manifest, writer) => {
        isHeld = await isThere(manifest);
        const newest = manifest.versions.at(-1);
        if (!isHeld || newest === undefined) return undefined;
        return (await db.parts.appendVersion(manifest, newest.root, writer)).manifest;
      },
      message: `keeps generation ${generation} for ${name} from an expiry that was under way`,
      ...aside,
    });
    return isHeld;
  });
}

function identityOf(manifest: Manifest): ManifestIdentity {
  const { config, versions } = manifest;
  const newest = versions.at(-1);
  return {
    uuid: config.uuid,
    generation: newest?.generation ?? 0n,
    commitTime: newest?.commitTime ?? 0n,
    versions: countVersions(manifest),
  };
}

function isSame(a: ManifestIdentity, b: ManifestIdentity): boolean {
  return (
    a.uuid === b.uuid && a.generation === b.generation && a.commitTime === b.commitTime && a.versions === b.versions
  );
}

/** Announcements that are there. `of` is `undefined` for one that cannot be read, which may be of any manifest. */
async function listNotices(
  db: OcdbtDatabase,
  { signal }: Cancel,
): Promise<{ readonly key: string; readonly of: ManifestIdentity | undefined }[]> {
  const { store } = db.parts;
  const found: { readonly key: string; readonly of: ManifestIdentity | undefined }[] = [];
  for await (const name of sidecarNames(store, folder, signal)) {
    const key = `${folder}${name}.json`;
    try {
      const notice = await readSidecar(store, key, "expiry", parse, signal);
      if (notice !== undefined) found.push({ key, of: notice.value });
    } catch (error) {
      if (!isOcdbtError(error)) throw error;
      found.push({ key, of: undefined });
    }
  }
  return found;
}

function parse(fields: SidecarFields): ManifestIdentity {
  return {
    uuid: fields.uuid("uuid"),
    generation: fields.uint64("generation"),
    commitTime: fields.uint64("commitTime"),
    versions: fields.uint64("versions"),
  };
}
