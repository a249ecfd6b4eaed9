/**
 * Writes JSON whose 64-bit ids are exact: as digits, or as strings for clients that ask for `int64_as_str`.
 * @module
 */

/** `bigint` and `BigUint64Array` are ids; a `number` is a quantity and is never quoted. `undefined` members are left out. */
export type JsonOut =
  | null
  | boolean
  | string
  | number
  | bigint
  | BigUint64Array
  | IdPairs
  | readonly JsonOut[]
  | { readonly [key: string]: JsonOut | undefined };

/** Ids two by two: `[[a, b], [c, d], …]`. */
export class IdPairs {
  readonly ids: BigUint64Array;

  constructor(ids: BigUint64Array) {
    this.ids = ids;
  }
}

/**
 * Infinite numbers (affinity of edges that must not be cut) become `1e999`: legal JSON that both Python and JavaScript
 * read back as infinity. NaN is a bug of the caller and throws.
 */
export function stringifyJson(value: JsonOut, options: { readonly idsAsStrings?: boolean } = {}): string {
  return write(value, options.idsAsStrings ?? false);
}

function write(value: JsonOut, quoteIds: boolean): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return quoteIds ? `"${value}"` : value.toString();
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
  }
  if (value instanceof BigUint64Array) return writeIds(value, quoteIds);
  if (value instanceof IdPairs) return writePairs(value.ids, quoteIds);
  if (isList(value)) {
    const items = new Array<string>(value.length);
    for (let i = 0; i < value.length; i++) items[i] = write(value[i]!, quoteIds);
    return `[${items.join(",")}]`;
  }
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${write(member, quoteIds)}`);
  }
  return `{${members.join(",")}}`;
}

function writeIds(ids: BigUint64Array, quoteIds: boolean): string {
  if (ids.length === 0) return "[]";
  return quoteIds ? `["${ids.join('","')}"]` : `[${ids.join(",")}]`;
}

function writePairs(ids: BigUint64Array, quoteIds: boolean): string {
  const quote = quoteIds ? '"' : "";
  const rows = new Array<string>(ids.length / 2);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = `[${quote}${ids[2 * i]}${quote},${quote}${ids[2 * i + 1]}${quote}]`;
  }
  return `[${rows.join(",")}]`;
}

function writeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) throw new RangeError("NaN has no JSON form");
  return value > 0 ? "1e999" : "-1e999";
}

function isList(value: object): value is readonly JsonOut[] {
  return Array.isArray(value);
}
