/** A source of microseconds since the epoch. */
export type Clock = () => bigint;

/**
 * The system clock made strictly increasing, so that two writes of one process never share a time by accident. It runs
 * ahead of the system only after that was set back, or while more than a thousand times per millisecond are asked for.
 */
export function createSystemClock(): Clock {
  let last = 0n;
  return () => {
    const wall = BigInt(Date.now()) * 1000n;
    last = wall > last ? wall : last + 1n;
    return last;
  };
}
