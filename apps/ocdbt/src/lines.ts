/**
 * The lines of a text file or stream, without holding it whole.
 * @module
 */
import { UsageError } from "./errors.ts";

/** Longest line that is held: values up to 256 MiB in base64. */
export const MAX_LINE_BYTES = 384 * 1024 * 1024;

const NEWLINE = 10;

/** Yields each line with its number from 1; a `\r` before the newline belongs to it. Empty lines are skipped. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ number: number; text: string }> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let number = 1;
  const take = (last: Uint8Array): string => {
    const whole = pending.length === 0 ? last : Buffer.concat([...pending, last]);
    pending = [];
    pendingBytes = 0;
    try {
      return decoder.decode(whole).replace(/\r$/, "");
    } catch (cause) {
      throw Object.assign(new UsageError(`line ${number} is not valid UTF-8`), { cause });
    }
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const text = take(chunk.subarray(start, end));
      if (text !== "") yield { number, text };
      number++;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pending.push(chunk.slice(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new UsageError(`line ${number} is longer than ${MAX_LINE_BYTES} bytes; put such values with "put"`);
    }
  }
  const text = take(new Uint8Array());
  if (text !== "") yield { number, text };
}
