import { checkByteRange, resolveByteRange } from "../byte-range.ts";
import type {
  AnyReadOptions,
  ByteRange,
  Capabilities,
  ConditionalReadOptions,
  Key,
  KvStore,
  ListEntry,
  ReadOptions,
  ReadResult,
  WriteResult,
} from "../contract.ts";
import { KvStoreError, type KvStoreErrorCode } from "../errors.ts";
import { keyBytes, printKey } from "../keys.ts";
import { onAbort } from "../on-abort.ts";
import type { KvStoreSpecObject } from "../spec.ts";
import { BodyTooLarge, readBody } from "./body.ts";
import { parseContentRange, rangeHeader } from "./range.ts";

export interface HttpDriverOptions {
  /** The function that makes requests. */
  readonly fetch?: typeof fetch;
  /** Headers of every request, e.g. `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Time for one request including its body; 60 s unless told. Exceeding it is `transient`. */
  readonly timeoutMs?: number;
  /** Largest body that is taken into memory; 1 GiB unless told. Exceeding it is `too-large`. */
  readonly maxBytes?: number;
  /**
   * Take status 403 for an absent key: buckets without public listing answer so. Off unless told, because a lost
   * permission would then look like missing data.
   */
  readonly forbiddenIsAbsent?: boolean;
}

const defaultTimeoutMs = 60_000;
const defaultMaxBytes = 2 ** 30;

/**
 * The files under an HTTP(S) URL, read-only; keys are appended to its path, percent-encoded, and its query is kept.
 *
 * Values are what the server presents: a `Content-Encoding` is undone by `fetch`. Generations are ETags, else the time of last
 * modification with the size; without either they never match, so that every read fetches.
 */
export function httpKvStore(url: string, options: HttpDriverOptions = {}): KvStore {
  return new HttpKvStore(new URL(url), options);
}

/** The public objects under `gs://bucket/path`, a folder, through storage.googleapis.com. */
export function gsKvStore(bucket: string, path: string, options: HttpDriverOptions = {}): KvStore {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return new HttpKvStore(new URL(`https://storage.googleapis.com/${bucket}${encoded}`), options, { bucket, path });
}

class HttpKvStore implements KvStore {
  readonly capabilities: Capabilities = {};
  readonly url: string;
  readonly spec: KvStoreSpecObject | undefined;
  readonly #base: URL;
  readonly #options: HttpDriverOptions;
  #unknownGenerations = 0;
  #closed = false;

  constructor(base: URL, options: HttpDriverOptions, google?: { bucket: string; path: string }) {
    this.#base = new URL(base);
    if (!this.#base.pathname.endsWith("/")) this.#base.pathname += "/";
    this.#options = options;
    if (google === undefined) {
      this.url = this.#base.href;
      this.spec = specOf(this.#base);
    } else {
      const path = google.path.replace(/([^/])$/, "$1/");
      this.url = `gs://${google.bucket}${path}`;
      this.spec = { driver: "gcs", bucket: google.bucket, path: path.replace(/^\//, "") };
    }
  }

  read(key: Key, options?: ReadOptions): Promise<ReadResult | undefined>;
  read(key: Key, options: ConditionalReadOptions): Promise<ReadResult | "unchanged" | undefined>;
  async read(key: Key, options: AnyReadOptions = {}): Promise<ReadResult | "unchanged" | undefined> {
    this.#check(options.signal);
    if (options.range !== undefined) checkByteRange(options.range);
    const limit = this.#options.maxBytes ?? defaultMaxBytes;
    const timeoutMs = this.#options.timeoutMs ?? defaultTimeoutMs;
    const stop = new AbortController();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      stop.abort();
    }, timeoutMs);
    // By hand, because AbortSignal.any in Node 20 keeps memory for as long as the caller's signal lives.
    const unfollow = onAbort(options.signal, () => stop.abort());
    try {
      const response = await this.#request(key, options, stop.signal);
      try {
        return await this.#interpret(response, key, options, limit);
      } finally {
        if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
      }
    } catch (cause) {
      options.signal?.throwIfAborted();
      if (cause instanceof KvStoreError) throw cause;
      if (cause instanceof BodyTooLarge) {
        throw this.#error("too-large", key, `is larger than ${limit} bytes; read it in ranges or raise maxBytes`);
      }
      if (isLate) throw this.#error("transient", key, `did not arrive within ${timeoutMs} ms`, { cause });
      throw this.#error("transient", key, `could not be fetched: ${reasonOf(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
      unfollow();
    }
  }

  async write(key: Key): Promise<WriteResult> {
    this.#check(undefined);
    throw this.#error("read-only", key, "cannot be written: HTTP stores are read-only");
  }

  // biome-ignore lint/correctness/useYield: refuses at the first step, as a list does that fails
  async *list(): AsyncGenerator<ListEntry> {
    this.#check(undefined);
    throw new KvStoreError("unsupported", `${this.url} cannot be listed: HTTP has no such request`, { url: this.url });
  }

  async deleteRange(): Promise<void> {
    this.#check(undefined);
    throw new KvStoreError("read-only", `${this.url} cannot be changed: HTTP stores are read-only`, { url: this.url });
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #request(key: Key, options: AnyReadOptions, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(this.#options.headers);
    // With a range, `fetch` asks for the identity encoding by itself: a part of a compressed body could not be decoded.
    if (options.range !== undefined) headers.set("Range", rangeHeader(options.range));
    const known = options.ifNotGeneration;
    if (known !== undefined && isEntityTag(known)) headers.set("If-None-Match", known);
    const request = this.#options.fetch ?? fetch;
    return request(this.#address(key), { headers, signal, ...(known === undefined ? {} : { cache: "no-cache" }) });
  }

  async #interpret(
    response: Response,
    key: Key,
    { range, ifNotGeneration }: AnyReadOptions,
    limit: number,
  ): Promise<ReadResult | "unchanged" | undefined> {
    const { status, headers } = response;
    if (status === 404 || status === 410) return undefined;
    if (status === 403 && this.#options.forbiddenIsAbsent) return undefined;
    if (status === 304 && ifNotGeneration !== undefined) return "unchanged";
    if (status !== 200 && status !== 206 && status !== 416) throw this.#statusError(response, key);
    if (status === 416) return this.#beyondEnd(response, key, range);
    const result =
      status === 206 && range !== undefined
        ? await this.#partial(response, key, range, limit)
        : await this.#whole(response, key, range, limit);
    const generation = this.#generation(headers, result.size);
    return generation === ifNotGeneration ? "unchanged" : { ...result, generation };
  }

  /** Status 206: exactly the part asked for, or the corner of it that exists. */
  async #partial(
    response: Response,
    key: Key,
    range: ByteRange,
    limit: number,
  ): Promise<{ value: Uint8Array; size: number }> {
    const encoding = response.headers.get("Content-Encoding") ?? "identity";
    if (encoding !== "identity") {
      throw this.#error(
        "unsupported",
        key,
        `is stored with Content-Encoding ${encoding}: a part of it cannot be decoded`,
      );
    }
    const header = response.headers.get("Content-Range");
    const sent = parseContentRange(header);
    if (sent?.start === undefined || sent.size === undefined) {
      throw this.#error("corrupt", key, `came as a part without usable Content-Range (${JSON.stringify(header)})`);
    }
    const { start, end } = resolveByteRange(range, sent.size);
    const { start: sentStart, end: sentEnd } = resolveByteRange(atLeastOne(range), sent.size);
    if (sent.start !== sentStart || sent.end !== sentEnd) {
      throw this.#error("corrupt", key, `came as part ${header}, not as bytes ${sentStart}-${sentEnd - 1}`);
    }
    if (end - start > limit) throw new BodyTooLarge();
    const body = await readBody(response, { skip: 0, limit: sentEnd - sentStart, overflow: "fail" });
    if (body.length !== sentEnd - sentStart) {
      throw this.#error("transient", key, `broke off: ${body.length} of ${sentEnd - sentStart} bytes arrived`);
    }
    return { value: body.subarray(0, end - start), size: sent.size };
  }

  /** Status 200: everything, also when a range was asked for and the server does not know ranges. */
  async #whole(
    response: Response,
    key: Key,
    range: ByteRange | undefined,
    limit: number,
  ): Promise<{ value: Uint8Array; size: number }> {
    const encoded = (response.headers.get("Content-Encoding") ?? "identity") !== "identity";
    const header = response.headers.get("Content-Length");
    const declared = encoded || header === null || !/^\d{1,15}$/.test(header) ? undefined : Number(header);
    if (range !== undefined && declared !== undefined) {
      // The size is known, so that only what leads up to the end of the range is transferred, and only the range is kept.
      const { start, end } = resolveByteRange(range, declared);
      if (end - start > limit) throw new BodyTooLarge();
      const value = await readBody(response, { skip: start, limit: end - start, overflow: "cut" });
      if (value.length !== end - start) {
        throw this.#error("transient", key, `broke off after ${start + value.length} of ${declared} bytes`);
      }
      return { value, size: declared };
    }
    if (declared !== undefined && declared > limit) throw new BodyTooLarge();
    const value = await readBody(response, { skip: 0, limit, overflow: "fail" });
    if (declared !== undefined && value.length !== declared) {
      throw this.#error("transient", key, `broke off: ${value.length} of ${declared} bytes arrived`);
    }
    const { start, end } = resolveByteRange(range, value.length);
    return { value: range === undefined ? value : value.slice(start, end), size: value.length };
  }

  /** Status 416: the range begins at or after the end. */
  #beyondEnd(response: Response, key: Key, range: ByteRange | undefined): ReadResult {
    const size = parseContentRange(response.headers.get("Content-Range"))?.size;
    if (range === undefined || size === undefined) throw this.#statusError(response, key);
    const { start, end } = resolveByteRange(atLeastOne(range), size);
    if (start !== end) throw this.#statusError(response, key);
    return { value: new Uint8Array(0), size, generation: this.#generation(response.headers, size) };
  }

  #generation(headers: Headers, size: number): string {
    const tag = headers.get("ETag");
    if (tag !== null && isEntityTag(tag)) return tag;
    const modified = headers.get("Last-Modified");
    if (modified !== null) return `${modified} ${size}`;
    return `unknown ${++this.#unknownGenerations}`;
  }

  #statusError(response: Response, key: Key): KvStoreError {
    const { status } = response;
    const retryAfter = response.headers.get("Retry-After");
    const details = {
      status,
      ...(retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? { retryAfterMs: Number(retryAfter) * 1000 } : {}),
    };
    if (status === 401 || status === 403) {
      const hint = status === 403 ? "; some buckets answer absent keys so: see forbiddenIsAbsent" : "";
      return this.#error("permission", key, `was refused (HTTP ${status})${hint}`, details);
    }
    const code: KvStoreErrorCode = [408, 425, 429].includes(status) || status >= 500 ? "transient" : "failed";
    return this.#error(code, key, `was answered with HTTP ${status} ${response.statusText}`.trimEnd(), details);
  }

  #address(key: Key): URL {
    const address = new URL(this.#base);
    address.pathname += encodeKey(keyBytes(key), this.url);
    return address;
  }

  #error(
    code: KvStoreErrorCode,
    key: Key,
    text: string,
    details: { status?: number; retryAfterMs?: number; cause?: unknown } = {},
  ): KvStoreError {
    const printed = printKey(key);
    return new KvStoreError(code, `${printed} of ${this.url} ${text}`, { url: this.url, key: printed, ...details });
  }

  #check(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (this.#closed) throw new KvStoreError("closed", `${this.url} was closed`, { url: this.url });
  }
}

/** The range that was really asked for: see {@link rangeHeader}. */
function atLeastOne(range: ByteRange): ByteRange {
  if ("suffixLength" in range) return { suffixLength: Math.max(1, range.suffixLength) };
  return range.length === undefined ? range : { offset: range.offset, length: Math.max(1, range.length) };
}

function isEntityTag(text: string): boolean {
  return /^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}

/** Bytes of a key as a URL path; slashes stay. A URL cannot express `.` and `..` segments: `bad-key`. */
function encodeKey(key: Uint8Array, url: string): string {
  let text = "";
  for (const byte of key) {
    const character = String.fromCharCode(byte);
    text += /[A-Za-z0-9/_.~!$&'()*+,;=:@-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  if (text.split("/").some((segment) => segment === "." || segment === "..")) {
    throw new KvStoreError("bad-key", `key ${printKey(key)} has a "." or ".." segment, which ${url} cannot address`);
  }
  return text;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error.cause instanceof Error)) return error.message;
  // A failure to connect to several addresses has a code but no message.
  return `${error.message} (${error.cause.message || (error.cause as { code?: string }).code})`;
}

/** Headers stay out: they may be credentials. A path that is not percent-encoded UTF-8 has no JSON form. */
function specOf({ origin, search, pathname }: URL): KvStoreSpecObject | undefined {
  try {
    return { driver: "http", base_url: `${origin}${search}`, path: decodeURIComponent(pathname) };
  } catch {
    return undefined;
  }
}
