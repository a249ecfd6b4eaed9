/**
 * Configurations in TensorStore's spelling, as specs have them.
 * @module
 */
import { OcdbtError } from "./errors.ts";
import { checkConfig } from "./format/index.ts";
import type { Compression, Config } from "./format/types.ts";
import { randomHex } from "./io/random-hex.ts";

/** What may be asked of a database: of a new one it is used, of one that exists each member must be as stored. */
export type ConfigRequest = Partial<Config>;

/** What a new database is given unless told otherwise: for many small edits, not for one large load. */
export const DEFAULT_CONFIG: Omit<Config, "uuid" | "manifestKind"> = {
  maxInlineValueBytes: 100,
  maxDecodedNodeBytes: 65_536,
  versionTreeArityLog2: 4,
  compression: { id: "zstd", level: 0 },
};

/** Members as TensorStore, and every JSON, calls them. */
const JSON_NAMES: Readonly<Record<keyof Config, string>> = {
  uuid: "uuid",
  manifestKind: "manifest_kind",
  maxInlineValueBytes: "max_inline_value_bytes",
  maxDecodedNodeBytes: "max_decoded_node_bytes",
  versionTreeArityLog2: "version_tree_arity_log2",
  compression: "compression",
};

/** What differs between two configurations, or `undefined`: for each member its name in JSON and both values. */
export function configDifference(expected: Config, found: Config): string | undefined {
  const changes: string[] = [];
  for (const [name, jsonName] of Object.entries(JSON_NAMES) as [keyof Config, string][]) {
    const [before, now] = [JSON.stringify(expected[name]), JSON.stringify(found[name])];
    if (before !== now) changes.push(`${jsonName} is ${now} where ${before} was expected`);
  }
  return changes.length === 0 ? undefined : changes.join(", ");
}

/** Reads `{"uuid", "manifest_kind", "max_inline_value_bytes", …}`. @throws `OcdbtError` `bad-spec` */
export function configFromJson(json: unknown): ConfigRequest {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw bad("config", json, "an object");
  const config: { -readonly [Member in keyof Config]?: Config[Member] } = {};
  for (const [name, value] of Object.entries(json)) {
    if (name === "uuid") config.uuid = text(name, value).toLowerCase();
    else if (name === "manifest_kind") config.manifestKind = manifestKind(value);
    else if (name === "max_inline_value_bytes") config.maxInlineValueBytes = number(name, value);
    else if (name === "max_decoded_node_bytes") config.maxDecodedNodeBytes = number(name, value);
    else if (name === "version_tree_arity_log2") config.versionTreeArityLog2 = number(name, value);
    else if (name === "compression") config.compression = compression(value);
    else
      throw bad(`config.${name}`, value, `none of that name: the members are ${Object.values(JSON_NAMES).join(", ")}`);
  }
  checkRequest(config);
  return config;
}

/** Refuses a name that means nothing: a slip would pass for a default. @throws `OcdbtError` `bad-spec` */
export function checkNames(what: string, given: object, known: object): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    const message = `there is no ${what} ${JSON.stringify(name)}; known are ${Object.keys(known).join(", ")}`;
    throw new OcdbtError("bad-spec", message, { fields: { name } });
  }
}

/** Throws `OcdbtError` `bad-spec` unless every member is known and in its range. */
export function checkRequest(request: ConfigRequest): void {
  checkNames("member of a config", request, { ...DEFAULT_CONFIG, manifestKind: true, uuid: true });
  checkConfig({ ...DEFAULT_CONFIG, uuid: "0".repeat(32), manifestKind: "single", ...request });
}

/** The configuration of a new database. */
export function newConfig(request: ConfigRequest): Config {
  return { uuid: randomHex(), manifestKind: "single", ...DEFAULT_CONFIG, ...request };
}

function manifestKind(value: unknown): Config["manifestKind"] {
  if (value === "single" || value === "numbered") return value;
  throw bad("config.manifest_kind", value, '"single" or "numbered"');
}

function compression(value: unknown): Compression {
  if (value === null) return null;
  const { id, level = 0, ...rest } = (typeof value === "object" ? value : {}) as Record<string, unknown>;
  if (id === "zstd" && typeof level === "number" && Object.keys(rest).length === 0) return { id, level };
  throw bad("config.compression", value, 'null or {"id": "zstd", "level": a number}');
}

function number(name: string, value: unknown): number {
  if (typeof value === "number") return value;
  throw bad(`config.${name}`, value, "a number");
}

function text(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw bad(`config.${name}`, value, "a text");
}

function bad(what: string, value: unknown, expected: string): OcdbtError {
  const shown = JSON.stringify(value) ?? String(value);
  return new OcdbtError("bad-spec", `${what} is ${shown}, expected ${expected}`, {
    fields: { name: what, value: shown },
  });
}
