import { GraphError } from "../errors.ts";

/** Ids as a cell's value: 8 bytes each, little-endian. */
export function packIds(ids: BigUint64Array): Uint8Array {
  return new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength).slice();
}

export function packId(id: bigint): Uint8Array {
  const value = new Uint8Array(8);
  new DataView(value.buffer).setBigUint64(0, id, true);
  return value;
}

export function unpackIds(value: Uint8Array): BigUint64Array {
  if (value.length % 8 !== 0) throw corrupt(`a list of ids has ${value.length} bytes, not a multiple of 8`);
  const copy = value.slice();
  return new BigUint64Array(copy.buffer, 0, value.length / 8);
}

export function unpackId(value: Uint8Array): bigint {
  if (value.length !== 8) throw corrupt(`an id has ${value.length} bytes, not 8`);
  return new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0, true);
}

/** JSON for people and programs: ids, times and numbers of 64 bits are decimal strings. */
export function packJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(
    JSON.stringify(value, (_key, v: unknown) => {
      if (typeof v === "bigint") return v.toString();
      if (v instanceof BigUint64Array) return Array.from(v, String);
      return v;
    }),
  );
}

export function unpackJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch (cause) {
    throw corrupt("a cell does not hold JSON", cause);
  }
}

/** The error of a cell that no version of this package wrote. */
export function corrupt(message: string, cause?: unknown): GraphError {
  return new GraphError("corrupt-row", `${message}: the row store is damaged`, {}, { cause });
}
