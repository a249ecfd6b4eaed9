/**
 * One signal that follows two, without leaving anything behind on them: unlike `AbortSignal.any`, which in Node 20 keeps
 * memory for as long as a source signal lives.
 *
 * @internal
 */
export function linkSignals(a: AbortSignal | undefined, b: AbortSignal): { signal: AbortSignal; unlink: () => void } {
  if (a === undefined) return { signal: b, unlink: () => {} };
  const controller = new AbortController();
  const follow = (source: AbortSignal) => (): void => controller.abort(source.reason);
  const onA = follow(a);
  const onB = follow(b);
  if (a.aborted) onA();
  else if (b.aborted) onB();
  a.addEventListener("abort", onA, { once: true });
  b.addEventListener("abort", onB, { once: true });
  return {
    signal: controller.signal,
    unlink: () => {
      a.removeEventListener("abort", onA);
      b.removeEventListener("abort", onB);
    },
  };
}
