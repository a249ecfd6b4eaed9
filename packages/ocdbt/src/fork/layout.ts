/**
 * Where a fork lies: a folder of its own with its manifest, its data files under `<id>_d/` and its own `refs/`, laid over
 * the base as a stack of stores. Every name of the base keeps its meaning in the fork, so nodes and values of the base are
 * shared.
 *
 * | layer | keys | held by |
 * |---|---|---|
 * | 1 | all others | the base |
 * | 2 | `manifest.…` | the fork: also numbered manifests, which otherwise would damage the base |
 * | 3 | `manifest.ocdbt` | the fork |
 * | 4 | `<id>_d/…` | the fork |
 * | 5 | `coordinator/…` | the fork: its lease and records, which are not the base's |
 * | 6 | `refs/…` | the fork |
 * | 7 | `refs/base/…` | the base's `refs/…` |
 * @module
 */
import { type KvStore, kvStack, withPrefix } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";
import { MANIFEST_KEY } from "../format/index.ts";

/**
 * Refuses what cannot name a fork: ids are 1–64 letters, digits, `.`, `_`, `-`, begin with a letter or digit, and not with
 * `manifest.`.
 *
 * @throws {@link OcdbtError} `bad-spec`
 */
export function checkForkId(id: string): void {
  if (/^(?!manifest\.)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) return;
  const rule =
    "an id is 1 to 64 letters, digits, dots, underscores and hyphens, begins with a letter or digit, and not with manifest.";
  throw new OcdbtError("bad-spec", `${JSON.stringify(id)} cannot name a fork: ${rule}`, { fields: { id } });
}

/** Prefix of all data files that are written through a fork. */
export function forkDataPrefix(id: string): string {
  return `${id}_d/`;
}

/** Folder of a fork inside its base, unless it is given one elsewhere. */
export function insideFolder(id: string): string {
  return `forks/${id}/`;
}

/** What a fork's database is built on. Closing it leaves `base` and `folder` open. */
export function forkStack(base: KvStore, folder: KvStore, id: string): KvStore {
  const lower = borrowed(base);
  const own = borrowed(folder);
  const stack = kvStack([
    { store: lower },
    { store: own, prefix: "manifest.", stripPrefix: 0 },
    { store: own, exact: MANIFEST_KEY, stripPrefix: 0 },
    { store: own, prefix: forkDataPrefix(id), stripPrefix: 0 },
    { store: own, prefix: "coordinator/", stripPrefix: 0 },
    { store: own, prefix: "refs/", stripPrefix: 0 },
    { store: borrowed(withPrefix(base, "refs/")), prefix: "refs/base/" },
  ]);
  return { ...borrowed(stack), url: `fork ${id} of ${base.url}` };
}

/** A store that somebody else closes. */
function borrowed(store: KvStore): KvStore {
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: store.read.bind(store) as KvStore["read"],
    write: store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    ...(store.hold && { hold: store.hold.bind(store) }),
    ...(store.stage && { stage: store.stage.bind(store) }),
    close: async () => {},
  };
}
