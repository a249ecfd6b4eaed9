/**
 * Versions as text and JSON: `@v12`, `@2026-04-24T00:00:00Z`, `@tag` in URLs; an integer or a time in TensorStore's JSON.
 * @module
 */
import type { VersionSpec } from "../contract.ts";
import { OcdbtError } from "../errors.ts";

const MAX_U64 = (1n << 64n) - 1n;

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/;

/** The nanoseconds since the epoch of `YYYY-MM-DDThh:mm:ss[.fffffffff]Z`; `undefined` when it is no such text. */
export function parseCommitTime(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}Z`);
  // Dates that do not exist are refused, not carried over into the next month.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== match[1]) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"));
}

/** The text that {@link parseCommitTime} reads, with as many digits as it takes. */
export function formatCommitTime(commitTime: bigint): string {
  const fraction = String(commitTime % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const seconds = new Date(Number(commitTime / 1_000_000n)).toISOString().slice(0, 19);
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** What stands after `@` in a URL: `v12`, a time, or the name of a tag. @throws `OcdbtError` `bad-spec` */
export function parseVersionText(text: string): VersionSpec {
  if (/^v\d+$/.test(text)) return { generation: checkGeneration(BigInt(text.slice(1)), text) };
  if (/^\d{4}-/.test(text)) return { time: checkTime(text) };
  if (text === "") throw badVersion(text);
  return { tag: text };
}

/** The parts of a stage `ocdbt:[@version/]path`. @throws `OcdbtError` `bad-spec` */
export function parseStagePath(text: string): { readonly version: VersionSpec | undefined; readonly path: string } {
  const match = /^@([^/]*)\/?(.*)$/s.exec(text);
  return match === null
    ? { version: undefined, path: text }
    : { version: parseVersionText(match[1]!), path: match[2]! };
}

/** The `version` of a JSON spec: a generation, or a time. @throws `OcdbtError` `bad-spec` */
export function parseVersionJson(version: unknown): VersionSpec {
  if (typeof version === "number" && Number.isSafeInteger(version)) {
    return { generation: checkGeneration(BigInt(version), String(version)) };
  }
  if (typeof version === "string" && /^v?\d+$/.test(version)) {
    throw badVersion(version, `in JSON a generation is a number, ${version.replace("v", "")}, and a text is a time`);
  }
  if (typeof version === "string") return { time: checkTime(version) };
  throw badVersion(String(JSON.stringify(version)));
}

/** Throws `TypeError` unless `spec` has exactly one of the members of a version, of its type. */
export function checkVersionSpec(spec: VersionSpec): void {
  const names = typeof spec === "object" && spec !== null ? Object.keys(spec) : [];
  const name = names[0] as keyof typeof EXPECTED;
  if (names.length !== 1 || EXPECTED[name] === undefined) {
    const found = names.length === 0 ? printable(spec) : `one with ${names.join(", ")}`;
    throw new TypeError(`a version is { generation }, { time }, { tag } or { ancestor }, not ${found}`);
  }
  const value = (spec as Readonly<Record<string, unknown>>)[name];
  const { types, what } = EXPECTED[name];
  if (types.includes(typeof value)) return;
  throw new TypeError(`the ${name} of a version is ${what}, not ${printable(value)}`);
}

const EXPECTED = {
  generation: { types: ["bigint"], what: "a bigint such as 12n" },
  time: {
    types: ["bigint", "string"],
    what: "ns since the epoch as a bigint, or a text YYYY-MM-DDThh:mm:ss[.fffffffff]Z, which date.toISOString() is",
  },
  tag: { types: ["string"], what: "a text" },
  ancestor: { types: ["number"], what: "a number, 0 for the newest version" },
};

function printable(value: unknown): string {
  if (typeof value === "object" && value !== null) return value instanceof Date ? "a Date" : "an object without these";
  return `${typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : String(value)} (${typeof value})`;
}

export function checkGeneration(generation: bigint, text: string): bigint {
  if (generation < 1n || generation > MAX_U64) throw badVersion(text);
  return generation;
}

export function checkTime(time: bigint | string): bigint {
  const ns = typeof time === "string" ? parseCommitTime(time) : time;
  if (ns === undefined || ns < 0n || ns > MAX_U64) throw badVersion(String(time));
  return ns;
}

/** A version as it appears in messages and URLs. */
export function printVersion(spec: VersionSpec): string {
  if ("generation" in spec) return `v${spec.generation}`;
  if ("tag" in spec) return spec.tag;
  if ("ancestor" in spec) return `head~${spec.ancestor}`;
  return typeof spec.time === "string" ? spec.time : formatCommitTime(spec.time);
}

function badVersion(
  text: string,
  rule = "generations are v1 and up (in JSON: 1 and up), times are written YYYY-MM-DDThh:mm:ss[.fffffffff]Z",
): OcdbtError {
  return new OcdbtError("bad-spec", `${JSON.stringify(text)} names no version: ${rule}`, { fields: { version: text } });
}
