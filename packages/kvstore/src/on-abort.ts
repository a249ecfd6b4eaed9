/**
 * Waiting for aborts, however many do.
 * @module
 */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when the signal aborts (at once when it has), unless the returned function is called before. All who
 * wait for one signal share one listener on it: Node warns of a leak from the eleventh on, which concurrent work with one
 * signal soon has.
 *
 * @internal
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    callback();
    return () => {};
  }
  // A callback of its own per call, so that one function may wait twice.
  const call = (): void => callback();
  const callbacks = waiting.get(signal) ?? listen(signal);
  callbacks.add(call);
  return () => {
    callbacks.delete(call);
  };
}

/**
 * `promise`, or a rejection with the signal's reason when that comes first.
 *
 * @internal
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const leave = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(leave);
  });
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  waiting.set(signal, callbacks);
  const callAll = (): void => {
    for (const call of callbacks) call();
    callbacks.clear();
  };
  signal.addEventListener("abort", callAll, { once: true });
  return callbacks;
}
