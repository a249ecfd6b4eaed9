/**
 * What every call of this package asks of its arguments, whichever class of error it throws.
 * @module
 */

/** The names that a call's argument may hold: every one, or it does not compile. */
export type Names<Request extends object> = Readonly<Record<keyof Request, true>>;

/** A name in `request` that is not among `names`: a misspelt option would otherwise be ignored in silence. */
export function findUnknown<Request extends object>(request: Request, names: Names<Request>): string | undefined {
  return Object.keys(request).find((name) => !Object.hasOwn(names, name));
}

/** Whether a value can say that it was aborted; goes by shape, as signals of other realms and polyfills do as well. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as AbortSignal).aborted === "boolean" &&
    typeof (value as AbortSignal).throwIfAborted === "function"
  );
}

/** Whether an array has lost its buffer to another thread, which makes it look empty. */
export function isDetached(array: ArrayBufferView): boolean {
  if (array.byteLength > 0) return false;
  try {
    // Node 20 has no `detached`, but makes no view of such a buffer.
    new Uint8Array(array.buffer);
    return false;
  } catch {
    return true;
  }
}

/** What a value is, for messages. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (ArrayBuffer.isView(value) && isDetached(value)) return `a ${value.constructor.name} whose buffer was transferred`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  const kind = value.constructor?.name ?? "Object";
  return kind === "Object" ? "a plain object" : `a ${kind}`;
}
