import type { Operation } from "./server.ts";

/** e.g. `merge #3`. */
export function describeOperation(operation: Operation): string {
  return `${operation.kind} #${operation.id}`;
}

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Names a moment of the past by the operation it follows: several can share a second. */
export function pastText(operations: readonly Operation[], moment: string): string {
  const done = operations.filter(({ status }) => status === "done");
  const last = done.findLast(({ time }) => Number(time) <= Number(moment));
  if (last) return `After ${describeOperation(last)}`;
  return done[0] ? `Before ${describeOperation(done[0])}` : "The beginning";
}

/** A moment in the reader's own time zone, to the second. */
export function momentText(seconds: string): string {
  return new Date(Number(seconds) * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** How long ago, in the largest fitting unit. */
export function agoText(seconds: string, now = Date.now()): string {
  const age = Math.max(0, now / 1000 - Number(seconds));
  if (age < 45) return "just now";
  const units: [Intl.RelativeTimeFormatUnit, number][] = [
    ["minute", 60],
    ["hour", 3600],
    ["day", 86400],
  ];
  const [unit, size] = units.filter(([, length]) => age >= length).at(-1) ?? units[0]!;
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(age / size), unit);
}
