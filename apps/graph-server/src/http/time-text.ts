import type { Time } from "@pcg/chunkedgraph";

/** Seconds since 1970 as the double nearest to the microseconds; its shortest decimal text names them exactly. */
export function toSeconds(time: Time): number {
  return Number(time) / 1e6;
}

/** Milliseconds since 1970, as pandas reads them. */
export function toMilliseconds(time: Time): number {
  return Number(time / 1000n);
}

/** `2026-01-02 03:04:05.678901+00:00`; Python's `datetime.fromisoformat` takes no `Z` before 3.11. */
export function toIso(time: Time, delimiter = " "): string {
  const [date, clock] = new Date(toMilliseconds(time)).toISOString().split("T") as [string, string];
  const micros = String(time % 1_000_000n).padStart(6, "0");
  return `${date}${delimiter}${clock.slice(0, 8)}.${micros}+00:00`;
}

/** The smaller of two bigints, which `Math.min` does not take. */
export function earlier(a: Time, b: Time): Time {
  if (b < a) return b;
  return a;
}
