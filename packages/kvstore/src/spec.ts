/**
 * Stores as JSON, in TensorStore's spelling: `{"driver": "file", "path": "/data/"}`. A URL may stand wherever a spec may.
 *
 * A spec's `path` is joined to keys as it is, as TensorStore does: with `"path": "/data/seg"` the key `"x"` is the file
 * `/data/segx`. So folders end in a slash. A URL in place of a spec is read the same way.
 * @module
 */
import type { KvStore } from "./contract.ts";
import { KvStoreError } from "./errors.ts";

/** A store as a JSON object: its driver by TensorStore's name, and the members that driver takes. */
export interface KvStoreSpecObject {
  readonly driver: string;
  /** What every key begins with below; nothing unless told. */
  readonly path?: string;
  readonly [member: string]: unknown;
}

/** A store as JSON: an object, or a pipeline URL. */
export type KvStoreSpec = KvStoreSpecObject | string;

/** Whether a value parsed from JSON has the outer form of a spec. */
export function isKvStoreSpec(value: unknown): value is KvStoreSpec {
  if (typeof value === "string") return true;
  if (typeof value !== "object" || value === null) return false;
  const { driver, path } = value as Record<string, unknown>;
  return typeof driver === "string" && (path === undefined || (typeof path === "string" && isWellFormed(path)));
}

/**
 * Refuses members a driver does not know, by name, as TensorStore does; `driver` and `path` are always known.
 *
 * @throws {@link KvStoreError} `bad-spec`
 */
export function checkSpecMembers(spec: KvStoreSpecObject, known: readonly string[]): void {
  checkMembers(spec, spec, ["driver", "path", ...known]);
}

/** The same for an object inside a spec; `where` names it. */
export function checkMembers(spec: KvStoreSpecObject, part: object, known: readonly string[], where?: string): void {
  const extra = Object.keys(part).filter((name) => !known.includes(name));
  if (extra.length === 0) return;
  const names = extra.map((name) => JSON.stringify(name)).join(", ");
  const place = where === undefined ? "" : ` in ${where}`;
  throw badSpec(
    spec,
    `unknown ${extra.length === 1 ? "member" : "members"} ${names}${place}; known: ${known.join(", ")}`,
  );
}

/** A `bad-spec` error that names the driver. */
export function badSpec(spec: unknown, reason: string, cause?: unknown): KvStoreError {
  const driver = typeof spec === "object" && spec !== null ? (spec as { driver?: unknown }).driver : undefined;
  const what = typeof driver === "string" ? `spec of driver ${JSON.stringify(driver)}` : "kvstore spec";
  return new KvStoreError("bad-spec", `cannot read ${what}: ${reason}`, cause === undefined ? {} : { cause });
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/**
 * The JSON that opens this store here and in TensorStore, to be published for others.
 *
 * @throws {@link KvStoreError} `unsupported` when the store has no such form: an overlay, a store of one's own, or a wrapper
 * that does not pass its store's `spec` on.
 */
export function storeSpec(store: KvStore): KvStoreSpecObject {
  if (store.spec !== undefined) return store.spec;
  throw new KvStoreError("unsupported", `${store.url} has no JSON form that TensorStore could open`, {
    url: store.url,
  });
}
