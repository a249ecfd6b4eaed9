/**
 * Pipeline URLs, `file:///dir/|ocdbt:@v12/seg/|neuroglancer-precomputed:`, as TensorStore and Neuroglancer write them: a
 * base that names a store, then stages that each look into what is before them.
 *
 * Percent-decoding: the path of a base and of every stage is decoded as UTF-8, with two exceptions that stay as written: a
 * bare path (it is a path, not a URL) and `http(s)` bases (the server decodes those, query included). A `|` inside any
 * part is written `%7C`. A stack of stores is written `kvstack:<percent-encoded JSON>/path`, as Neuroglancer's fork of the Seung
 * lab does.
 * @module
 */
import { KvStoreError } from "./errors.ts";

/** The store a pipeline begins with. */
export interface UrlBase {
  /** Lower case, e.g. `file`, `gs`, `https`, `middleauth+https`. */
  readonly scheme: string;
  /** Host with port, or bucket; empty for `file`; of `kvstack:` the JSON, as written (percent-encoded). */
  readonly authority: string;
  /** From the first slash on. Only a bare path (scheme `file`) may be relative. */
  readonly path: string;
  /** With its question mark; only on http-like schemes. */
  readonly query?: string;
}

/** A step of a pipeline, e.g. `zarr3:` or `ocdbt:@v2/a/`. */
export interface UrlStage {
  readonly scheme: string;
  /** What follows the colon, percent-decoded. */
  readonly path: string;
}

export interface ParsedUrl {
  readonly base: UrlBase;
  readonly stages: readonly UrlStage[];
}

/** Longest URL that is looked at. */
const maxUrlLength = 65_536;

/** Prefixes from before pipelines, and the stage each one means. */
const legacyFormats: ReadonlyMap<string, string> = new Map([
  ["precomputed", "neuroglancer-precomputed"],
  ["zarr", "zarr"],
  ["zarr2", "zarr2"],
  ["zarr3", "zarr3"],
  ["n5", "n5"],
  ["graphene", "graphene"],
]);

/**
 * Reads a pipeline URL, a bare path (`/data/seg`, `./seg`), or either behind a legacy format prefix:
 * `precomputed://gs://bucket/seg` is `gs://bucket/seg|neuroglancer-precomputed:`.
 *
 * @throws {@link KvStoreError} `bad-url`, naming the part and the reason.
 */
export function parseUrl(text: string): ParsedUrl {
  if (text.length > maxUrlLength) {
    throw new KvStoreError("bad-url", `URL of ${text.length} characters is longer than ${maxUrlLength}`);
  }
  if (/\p{Surrogate}/u.test(text)) throw bad(text, "it is not well-formed Unicode");
  if (text.includes("\0")) throw bad(text, "it contains a NUL character");
  const legacy = /^([a-z0-9]+):\/\/(?=.)/i.exec(text);
  const format = legacy === null ? undefined : legacyFormats.get(legacy[1]!.toLowerCase());
  const [first, ...rest] = (format === undefined ? text : text.slice(legacy![0].length)).split("|");
  const base = parseBase(first!, text);
  const stages = rest.map((part) => parseStage(part, text));
  if (format !== undefined) stages.push({ scheme: format, path: "" });
  return { base, stages };
}

/** The text of a parsed URL, in normal form: `parseUrl(formatUrl(url))` equals `url`, unless its base path is relative. */
export function formatUrl(url: ParsedUrl): string {
  const { base } = url;
  const isText = isHttpScheme(base.scheme);
  const relative = base.scheme === "file" && !base.path.startsWith("/");
  const path = isText || relative ? base.path : encodePath(base.path);
  const slashes = base.scheme === "kvstack" ? "" : "//";
  const head = relative ? path : `${base.scheme}:${slashes}${base.authority}${path}${base.query ?? ""}`;
  return [head, ...url.stages.map((stage) => `${stage.scheme}:${encodePath(stage.path)}`)].join("|");
}

function parseBase(text: string, whole: string): UrlBase {
  if (text === "") throw bad(whole, "it does not begin with a base such as file:///dir/ or a path");
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([\s\S]*)$/.exec(text);
  const stack = /^kvstack:([^/]+)(\/[\s\S]*)?$/i.exec(text);
  if (stack !== null) return { scheme: "kvstack", authority: stack[1]!, path: decodePath(stack[2] ?? "/", whole) };
  if (match === null) {
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(text)?.[1];
    if (scheme !== undefined) {
      throw bad(whole, `base ${JSON.stringify(text)} needs two slashes after its scheme: ${scheme}://…`);
    }
    return { scheme: "file", authority: "", path: text };
  }
  const scheme = match[1]!.toLowerCase();
  if (legacyFormats.has(scheme)) {
    throw bad(whole, `"${scheme}://" may stand only once, at the very beginning, before a base`);
  }
  let rest = match[2]!;
  if (rest.includes("#")) throw bad(whole, 'a "#" has no meaning here; write it %23 if it is part of a name');
  let query: string | undefined;
  const mark = rest.indexOf("?");
  if (mark >= 0) {
    if (!isHttpScheme(scheme))
      throw bad(whole, `a ${scheme}:// base takes no "?"; write it %3F if it is part of a name`);
    query = rest.slice(mark);
    rest = rest.slice(0, mark);
  }
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  let path = slash < 0 ? "/" : rest.slice(slash);
  if (scheme === "file" && authority !== "" && authority !== "localhost") {
    throw bad(whole, `file URLs name no host, but this one names ${JSON.stringify(authority)}; write file:///dir/`);
  }
  if (authority === "" && scheme !== "file" && scheme !== "memory") {
    throw bad(whole, `a ${scheme}:// base needs a host or bucket after the slashes`);
  }
  if (/[\s@\\]/.test(authority)) {
    throw bad(whole, "the host or bucket may hold no white space, backslash or credentials");
  }
  if (!isHttpScheme(scheme)) path = decodePath(path, whole);
  return {
    scheme,
    authority: scheme === "file" ? "" : authority,
    path,
    ...(query === undefined ? {} : { query }),
  };
}

function parseStage(text: string, whole: string): UrlStage {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):([\s\S]*)$/.exec(text);
  if (match === null) {
    throw bad(whole, `stage ${JSON.stringify(text)} is not of the form name: or name:path, e.g. zarr3: or ocdbt:seg/`);
  }
  return { scheme: match[1]!.toLowerCase(), path: decodePath(match[2]!, whole) };
}

/** Undoes percent-encoding. @internal */
export function decodePath(path: string, whole: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch (cause) {
    throw new KvStoreError("bad-url", `${describe(whole)}: ${JSON.stringify(path)} has a malformed %-escape`, {
      cause,
    });
  }
  if (decoded.includes("\0")) throw bad(whole, "it contains a NUL character");
  return decoded;
}

function encodePath(path: string): string {
  return path.replace(/[%|?#\s\\"<>^`{}]|[^\x20-\x7e]+/gu, (part) => encodeURIComponent(part));
}

/** Whether the server, not the client, reads the path of such a URL. @internal */
export function isHttpScheme(scheme: string): boolean {
  return scheme === "http" || scheme === "https" || scheme.endsWith("+http") || scheme.endsWith("+https");
}

function bad(whole: string, reason: string): KvStoreError {
  return new KvStoreError("bad-url", `${describe(whole)}: ${reason}`);
}

function describe(whole: string): string {
  return `cannot read URL ${JSON.stringify(whole.length > 300 ? `${whole.slice(0, 300)}…` : whole)}`;
}
