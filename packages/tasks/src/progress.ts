/**
 * Progress that does not come too often.
 * @module
 */
import type { OnProgress, Progress } from "./contract.ts";

/**
 * Passes on at most one report per `intervalMs` and step; the first, and every one that completes its step, always. Reports
 * in between are dropped, not delayed, so that no timer keeps the process alive.
 */
export function throttleProgress(onProgress: OnProgress, intervalMs = 100): OnProgress {
  const last = new Map<string, number>();
  return (progress: Progress) => {
    const now = performance.now();
    const before = last.get(progress.step);
    if (before !== undefined && now - before < intervalMs && progress.done < progress.total) return;
    if (progress.done >= progress.total) last.delete(progress.step);
    else last.set(progress.step, now);
    onProgress(progress);
  };
}
