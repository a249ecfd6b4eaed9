/**
 * A signal of its own for each of many requests that end by the same one.
 * @module
 */

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `callback` once when the signal aborts (at once when it has), unless the returned function is called before. All who wait for
 * one signal share one listener on it: Node warns of a leak from the eleventh on.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => {};
  }
  // A callback of its own per call, so that one function may wait twice.
  const call = (): void => callback();
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    callbacks = listen(signal);
    waiting.set(signal, callbacks);
  }
  callbacks.add(call);
  return () => void waiting.get(signal)?.delete(call);
}

/** A signal that aborts when another does, and that nobody else listens to. */
export interface OwnSignal {
  readonly options: { readonly signal?: AbortSignal };
  /** Ends the connection. */
  leave(): void;
}

const NONE: OwnSignal = { options: {}, leave: () => {} };

export function ownSignal(signal: AbortSignal | undefined): OwnSignal {
  if (signal === undefined) return NONE;
  const own = new AbortController();
  return { options: { signal: own.signal }, leave: onAbort(signal, () => own.abort(signal.reason)) };
}

/** Does `work` with an {@link ownSignal}. */
export async function withOwnSignal<T>(
  signal: AbortSignal | undefined,
  work: (own: { readonly signal?: AbortSignal }) => T | Promise<T>,
): Promise<T> {
  const own = ownSignal(signal);
  try {
    return await work(own.options);
  } finally {
    own.leave();
  }
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  const callAll = (): void => {
    for (const call of callbacks) call();
    callbacks.clear();
  };
  signal.addEventListener("abort", callAll, { once: true });
  return callbacks;
}
