import type { UpkeepProgress } from "@pcg/ocdbt";

const FIRST_AFTER_MS = 1500;
const LINE_EVERY_MS = 3000;

/** Shows how far `work` is, see {@link reportProgress}. */
export async function withProgress<T>(
  err: (text: string) => void,
  work: (onProgress: (progress: UpkeepProgress) => void) => Promise<T>,
): Promise<T> {
  const progress = reportProgress(err);
  try {
    return await work(progress.onProgress);
  } finally {
    progress.stop();
  }
}

/** Progress of long work: a line now and then; on a terminal it replaces the one before. Short work says nothing. */
function reportProgress(err: (text: string) => void): {
  readonly onProgress: (progress: UpkeepProgress) => void;
  readonly stop: () => void;
} {
  const isTerminal = process.stderr.isTTY === true;
  const every = isTerminal ? 100 : LINE_EVERY_MS;
  let next = performance.now() + FIRST_AFTER_MS;
  let shown = false;
  return {
    onProgress: ({ phase, done, total }) => {
      const now = performance.now();
      if (now < next) return;
      next = now + every;
      shown = true;
      const text = `${phase}: ${done}${total === undefined ? "" : ` of ${total}`}`;
      err(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
    },
    stop: () => {
      if (isTerminal && shown) err("\r\u001b[K");
    },
  };
}
