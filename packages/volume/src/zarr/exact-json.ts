/**
 * JSON of zarr metadata without losing 64-bit integers.
 * @module
 */

/** Strings are kept whole; an integer literal is caught when it has no fraction or exponent. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const integer = /^-?\d+$/;

/**
 * Like `JSON.parse`, but an integer that a JS number cannot hold comes out as the string of its digits. A fill value of
 * 2^64−1 would otherwise be rounded to 2^64, which no uint64 holds.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(
    text.replace(token, (literal) =>
      integer.test(literal) && !Number.isSafeInteger(Number(literal)) ? `"${literal}"` : literal,
    ),
  );
}

/** Like `JSON.stringify` with indentation, and with bigints as integer literals. */
export function stringifyExactJson(value: unknown): string {
  const digits: bigint[] = [];
  const marker = "\u0000bigint ";
  const text = JSON.stringify(
    value,
    (_key, member: unknown) => {
      if (typeof member !== "bigint") return member;
      digits.push(member);
      return marker + (digits.length - 1);
    },
    2,
  );
  return text.replace(/"\\u0000bigint (\d+)"/g, (_match, index: string) => String(digits[Number(index)]));
}
