/** A source of microseconds since the epoch. */
export type Clock = () => bigint;

/** How far the clock may run ahead of the system's, in microseconds. */
const MAX_AHEAD = 10_000n;

/**
 * The system clock made strictly increasing within its millisecond, so that two writes of one process never share a time by
 * accident. When the system clock is set back this one follows: times ahead of everybody else's would hide what was
 * written from readers that ask for "now".
 */
export function createSystemClock(system: () => number = Date.now): Clock {
  let last = 0n;
  return () => {
    const wall = BigInt(system()) * 1000n;
    last = wall > last || last - wall > MAX_AHEAD ? wall : last + 1n;
    return last;
  };
}
