/**
 * Small JSON files under `refs/` beside a database: tags, messages, the registry of forks. TensorStore passes over them.
 * They are read as anybody's: bounded, checked member by member, and refused by name when torn or foreign.
 *
 * Numbers of 64 bits are decimal text in them. Every file begins with `{"schema": 1, "kind": …}`; members that a later
 * release adds are passed over, a later `schema` is refused.
 * @module
 */
import { type Key, type KvStore, keyText, printKey } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";

/** Longest sidecar that is read or written. */
const maxBytes = 65_536;
const schema = 1;
const maxUint64 = (1n << 64n) - 1n;

/** Members of a sidecar, each checked as it is asked for. */
export class SidecarFields {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #key: string;

  constructor(members: Readonly<Record<string, unknown>>, key: string) {
    this.#members = members;
    this.#key = key;
  }

  text(name: string): string {
    const value = this.#member(name);
    if (typeof value !== "string") throw this.#bad(name, "is not a text");
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#member(name) === undefined ? undefined : this.text(name);
  }

  uint64(name: string): bigint {
    const value = this.text(name);
    if (!/^(0|[1-9][0-9]{0,19})$/.test(value)) throw this.#bad(name, "is no decimal number in quotes");
    const number = BigInt(value);
    if (number > maxUint64) throw this.#bad(name, "does not fit 64 bits");
    return number;
  }

  generation(name: string): bigint {
    const generation = this.uint64(name);
    if (generation === 0n) throw this.#bad(name, "is 0; generations begin at 1");
    return generation;
  }

  uuid(name: string): string {
    const value = this.text(name);
    if (!/^[0-9a-f]{32}$/.test(value)) throw this.#bad(name, "is not 32 hexadecimal digits");
    return value;
  }

  object(name: string): SidecarFields {
    const value = this.#member(name);
    if (!isObject(value)) throw this.#bad(name, "is not an object");
    return new SidecarFields(value, this.#key);
  }

  optionalObject(name: string): SidecarFields | undefined {
    return this.#member(name) === undefined ? undefined : this.object(name);
  }

  /** For members whose form is another's to check. */
  raw(name: string): unknown {
    return this.#member(name);
  }

  #member(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? this.#members[name] : undefined;
  }

  #bad(name: string, reason: string): OcdbtError {
    return corrupt(this.#key, `"${name}" ${reason}`);
  }
}

/** A sidecar as found. */
export interface FoundSidecar<T> {
  readonly value: T;
  /** Of the base store, for conditional writes. */
  readonly storeGeneration: string;
}

/** Reads one sidecar. `undefined`: absent. @throws {@link OcdbtError} `corrupt` or `unsupported`, naming the file. */
export async function readSidecar<T>(
  store: KvStore,
  key: Key,
  kind: string,
  parse: (fields: SidecarFields) => T,
  signal?: AbortSignal,
): Promise<FoundSidecar<T> | undefined> {
  const found = await store.read(key, { range: { offset: 0, length: maxBytes }, ...(signal && { signal }) });
  if (found === undefined) return undefined;
  const name = printKey(key);
  if (found.size > maxBytes) throw corrupt(name, `it has ${found.size} bytes, more than ${maxBytes}`);
  return { value: parse(parseSidecar(found.value, name, kind)), storeGeneration: found.generation };
}

/** The bytes of a sidecar. @throws {@link OcdbtError} `too-large` */
export function sidecarBytes(key: Key, kind: string, members: Readonly<Record<string, unknown>>): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify({ schema, kind, ...members }, undefined, 1)}\n`);
  if (bytes.length <= maxBytes) return bytes;
  const what = `${printKey(key)} would have ${bytes.length} bytes, more than ${maxBytes}; shorten its texts`;
  throw new OcdbtError("too-large", what, { fields: { file: printKey(key), size: bytes.length, limit: maxBytes } });
}

/** Names of the sidecars in a folder, in order: what stands before `.json`. Files of another form are somebody else's. */
export async function* sidecarNames(store: KvStore, folder: string, signal?: AbortSignal): AsyncGenerator<string> {
  for await (const { key } of store.list({ prefix: folder, ...(signal && { signal }) })) {
    const name = /^([A-Za-z0-9][A-Za-z0-9._-]*)\.json$/.exec((keyText(key) ?? "").slice(folder.length))?.[1];
    if (name !== undefined) yield name;
  }
}

/** A date for people, in sidecars. */
export function now(): string {
  return new Date().toISOString();
}

function parseSidecar(bytes: Uint8Array, key: string, kind: string): SidecarFields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw corrupt(key, "it is no JSON text: torn, or not ours", cause);
  }
  if (!isObject(value)) throw corrupt(key, "it is no JSON object");
  if (value.schema !== schema) {
    if (typeof value.schema !== "number") throw corrupt(key, 'it has no "schema" number');
    const message = `${key} has schema ${value.schema}, and this release reads ${schema}; use a newer one`;
    throw new OcdbtError("unsupported", message, { fields: { file: key, schema: value.schema } });
  }
  if (value.kind !== kind) throw corrupt(key, `it is of kind ${JSON.stringify(value.kind)}, not "${kind}"`);
  return new SidecarFields(value, key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function corrupt(key: string, reason: string, cause?: unknown): OcdbtError {
  const message = `cannot read ${key} beside the database: ${reason}. Remove the file, or put a sound one in its place`;
  return new OcdbtError("corrupt", message, { fields: { file: key }, ...(cause === undefined ? {} : { cause }) });
}
