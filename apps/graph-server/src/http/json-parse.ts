/**
 * JSON that keeps 64-bit ids: an integer token becomes a `bigint`, every other number a `number`, an object a `Map`
 * (so no key can touch a prototype). Exactly the grammar of RFC 8259: `NaN` and `Infinity` are refused, as are
 * trailing commas, comments and text after the value.
 * @module
 */

export type Json = null | boolean | string | number | bigint | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** Nesting deeper than this is refused: no request of the API has more than three levels. */
const MAX_DEPTH = 64;
/** Digits of an integer token; parsing a longer one would take quadratic time, and no id has more than 20. */
const MAX_INTEGER_DIGITS = 64;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

/** The text is not JSON; the message names the position and what stands there. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} at character ${position}`);
    this.position = position;
  }
}

/** @throws JsonSyntaxError */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  return parser.document();
}

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Json {
    this.skipSpace();
    const value = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.unexpected("the end");
    return value;
  }

  private value(depth: number): Json {
    switch (this.text.charCodeAt(this.at)) {
      case 0x22: // "
        return this.string();
      case 0x5b: // [
        return this.array(depth + 1);
      case 0x7b: // {
        return this.object(depth + 1);
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case 0x6e:
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private array(depth: number): Json[] {
    this.enter(depth);
    const items: Json[] = [];
    if (this.closes(0x5d)) return items;
    for (;;) {
      this.skipSpace();
      items.push(this.value(depth));
      if (this.closes(0x5d)) return items;
      this.expect(0x2c, "',' or ']'");
    }
  }

  private object(depth: number): JsonObject {
    this.enter(depth);
    const entries = new Map<string, Json>();
    if (this.closes(0x7d)) return entries;
    for (;;) {
      this.skipSpace();
      if (this.text.charCodeAt(this.at) !== 0x22) throw this.unexpected("a key in quotes");
      const key = this.string();
      this.skipSpace();
      this.expect(0x3a, "':'");
      this.skipSpace();
      entries.set(key, this.value(depth));
      if (this.closes(0x7d)) return entries;
      this.expect(0x2c, "',' or '}'");
    }
  }

  private string(): string {
    const start = this.at;
    for (let i = start + 1; i < this.text.length; i++) {
      const code = this.text.charCodeAt(i);
      if (code === 0x22) {
        this.at = i + 1;
        return this.text.slice(start + 1, i);
      }
      if (code === 0x5c) return this.escapedString(start, i);
      if (code < 0x20) {
        this.at = i;
        throw this.unexpected("a printable character");
      }
    }
    this.at = this.text.length;
    throw this.unexpected("a closing quote");
  }

  /** A string with a backslash at `firstEscape`: find its end, and let the platform undo the escapes. */
  private escapedString(start: number, firstEscape: number): string {
    let end = firstEscape;
    while (end < this.text.length && this.text.charCodeAt(end) !== 0x22) {
      end += this.text.charCodeAt(end) === 0x5c ? 2 : 1;
    }
    try {
      const value = JSON.parse(this.text.slice(start, end + 1)) as string;
      this.at = end + 1;
      return value;
    } catch {
      this.at = start;
      throw this.unexpected("a well-formed string");
    }
  }

  private number(): number | bigint {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.text);
    if (match === null) throw this.unexpected("a JSON value");
    const token = match[0];
    if (match[1] !== undefined || match[2] !== undefined) {
      this.at += token.length;
      return Number(token);
    }
    if (token.length > MAX_INTEGER_DIGITS) throw this.unexpected(`an integer of at most ${MAX_INTEGER_DIGITS} digits`);
    this.at += token.length;
    return BigInt(token);
  }

  private word<T extends boolean | null>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.unexpected("a JSON value");
    this.at += word.length;
    return value;
  }

  private enter(depth: number): void {
    if (depth > MAX_DEPTH) throw this.unexpected(`at most ${MAX_DEPTH} levels of nesting`);
    this.at++;
  }

  private closes(bracket: number): boolean {
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== bracket) return false;
    this.at++;
    return true;
  }

  private expect(code: number, wanted: string): void {
    if (this.text.charCodeAt(this.at) !== code) throw this.unexpected(wanted);
    this.at++;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.at++;
    }
  }

  private unexpected(wanted: string): JsonSyntaxError {
    const found = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 12)) : "the end";
    return new JsonSyntaxError(`expected ${wanted}, found ${found}`, this.at);
  }
}
