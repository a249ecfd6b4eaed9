/**
 * Commit times: microseconds, strictly increasing per graph, and never later than the moment the edit is acknowledged,
 * so that a client who asks for the graph "now" sees what it just did.
 * @module
 */
import type { Time } from "./contract.ts";
import { GraphError } from "./errors.ts";

/** Reads the present time in microseconds since the epoch. */
export type Clock = () => Promise<Time>;

/** Longest wait for a clock that is behind the last commit. */
const MAX_WAIT_US = 2_000_000n;

/** The first time after `last` that is not in the future; waits for it when the clock is behind. */
export async function commitTime(clock: Clock, last: Time): Promise<Time> {
  const now = await clock();
  if (now > last) return now;
  const time = last + 1n;
  if (time - now > MAX_WAIT_US)
    throw new GraphError(
      "clock-behind",
      `the clock is ${(time - now) / 1_000_000n} s behind the last commit: set the clock of this machine`,
      { now: now.toString(), lastCommit: last.toString() },
    );
  while ((await clock()) < time) await new Promise((resolve) => setTimeout(resolve, 1));
  return time;
}

export function later(a: Time, b: Time): Time {
  if (a > b) return a;
  return b;
}

export function earlier(a: Time, b: Time): Time {
  return later(a, b) === a ? b : a;
}
