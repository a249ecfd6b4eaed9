import { isKvStoreError } from "@pcg/kvstore";

/** How often something that fails in passing is tried. */
export const MAX_TRIES = 8;

/** Longest mean delay between attempts, ms. */
const MAX_MEAN_MS = 200;

/**
 * Waits a random time around 2, 4, 8 … ms before attempt `attempt + 1`, so that writers that met once do not meet again.
 * Rejects with the signal's reason.
 *
 * @param maxMeanMs what an attempt takes, where one of those who meet always gets on: longer waits would only leave the store idle.
 */
export async function backOff(
  attempt: number,
  signal: AbortSignal | undefined,
  maxMeanMs: number = MAX_MEAN_MS,
): Promise<void> {
  const mean = Math.min(MAX_MEAN_MS, maxMeanMs, 2 ** Math.min(attempt, 16));
  await pause(mean * 2 * Math.random(), signal);
}

export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal?.addEventListener("abort", leave, { once: true });
  });
}

/** Tries again what fails in passing; what fails for good, or all the time, throws. */
export async function retryTransient<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isKvStoreError(error, "transient") || tries === MAX_TRIES) throw error;
      await backOff(tries, signal);
    }
  }
}
