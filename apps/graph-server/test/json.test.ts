import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, JsonSyntaxError, parseJson } from "../src/http/json-parse.ts";
import { IdPairs, type JsonOut, stringifyJson } from "../src/http/json-write.ts";

/** What our parser makes of a value, in the terms of JSON.parse: maps as objects, integers as numbers. */
function plain(value: Json): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return value;
}

/** A bigint has no -0. */
function withoutNegativeZero(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function agrees(text: string): void {
  let expected: unknown;
  try {
    expected = JSON.parse(text);
  } catch {
    expect(() => parseJson(text)).toThrow(JsonSyntaxError);
    return;
  }
  expect(withoutNegativeZero(plain(parseJson(text)))).toEqual(withoutNegativeZero(expected));
}

describe("parsing", () => {
  test("integers are exact at any size, other numbers are doubles", () => {
    expect(parseJson("[18446744073709551615, -9007199254740993, 1.5, 1e3, -0]")).toEqual([
      18446744073709551615n,
      -9007199254740993n,
      1.5,
      1000,
      0n,
    ]);
  });

  test("agrees with JSON.parse on any JSON", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 6, noUnicodeString: false }), agrees));
  });

  test("agrees with JSON.parse on what is JSON and what is not after random damage", () => {
    const damaged = fc
      .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.string({ maxLength: 3 }), fc.nat(4))
      .map(([text, at, noise, cut]) => {
        const position = at % (text.length + 1);
        return text.slice(0, position) + noise + text.slice(position + cut);
      });
    fc.assert(fc.property(damaged, agrees), { numRuns: 2000 });
  });

  test("agrees with JSON.parse on text made of JSON's own characters", () => {
    const token = fc.constantFrom(...'[]{},:"\\ \n0123456789.eE+-truefalsn/u');
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 14 }).map((tokens) => tokens.join("")),
        agrees,
      ),
      { numRuns: 5000 },
    );
  });

  test.each(["NaN", "[Infinity]", "[-Infinity]", "[1,]", "{'a':1}", "[01]", "[1.]", "[+1]", "", "[1] x", '"\u0001"'])(
    "refuses %s",
    (text) => {
      expect(() => parseJson(text)).toThrow(JsonSyntaxError);
    },
  );

  test("bounds the depth and the length of integers, so no text can stop the server", () => {
    expect(() => parseJson("[".repeat(100_000))).toThrow(/64 levels/);
    expect(() => parseJson("9".repeat(1_000_000))).toThrow(/64 digits/);
  });

  test("a __proto__ member is a member like any other", () => {
    const value = parseJson('{"__proto__": {"polluted": 1}}') as ReadonlyMap<string, Json>;
    expect(value.get("__proto__")).toEqual(new Map([["polluted", 1n]]));
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("writing", () => {
  const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

  test("ids come back exactly, as numbers and as strings", () => {
    fc.assert(
      fc.property(fc.array(id), fc.string(), (ids, key) => {
        const value: JsonOut = { [key]: BigUint64Array.from(ids), one: ids[0] ?? 0n };
        const numbers = parseJson(stringifyJson(value)) as ReadonlyMap<string, Json>;
        expect(numbers.get("one")).toBe(ids[0] ?? 0n);
        if (key !== "one") expect(numbers.get(key)).toEqual(ids);
        const strings = parseJson(stringifyJson(value, { idsAsStrings: true })) as ReadonlyMap<string, Json>;
        expect(strings.get("one")).toBe(String(ids[0] ?? 0n));
        if (key !== "one") expect(strings.get(key)).toEqual(ids.map(String));
      }),
    );
  });

  test("writes what JSON.stringify writes where there are no ids", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(stringifyJson(value as JsonOut)).toBe(JSON.stringify(value));
      }),
      { examples: [["\u2028 \ud800"]] },
    );
  });

  test("pairs, quantities beside quoted ids, and infinity that both Python and JavaScript read", () => {
    const value: JsonOut = {
      edges: new IdPairs(BigUint64Array.of(1n, 2n, 3n, 4n)),
      n: 5,
      a: [Number.POSITIVE_INFINITY],
    };
    expect(stringifyJson(value)).toBe('{"edges":[[1,2],[3,4]],"n":5,"a":[1e999]}');
    expect(stringifyJson(value, { idsAsStrings: true })).toBe('{"edges":[["1","2"],["3","4"]],"n":5,"a":[1e999]}');
    expect(JSON.parse("[1e999]")).toEqual([Number.POSITIVE_INFINITY]);
    expect(() => stringifyJson(Number.NaN)).toThrow(RangeError);
  });
});
