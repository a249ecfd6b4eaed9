import type { OnProgress } from "@pcg/tasks";
import { SingleBar } from "cli-progress";

const LINE_EVERY_MS = 3000;

/** Progress on stderr: a bar on a terminal, else a line every few seconds and one for each finished step. */
export function reportProgress(): { readonly onProgress: OnProgress; readonly stop: () => void } {
  return process.stderr.isTTY ? bar() : lines();
}

function bar(): ReturnType<typeof reportProgress> {
  let current: { readonly step: string; readonly bar: SingleBar } | undefined;
  return {
    onProgress: ({ step, done, total }) => {
      if (current?.step !== step) {
        current?.bar.stop();
        const format = `${step.padEnd(12)} [{bar}] {value}/{total}`;
        current = { step, bar: new SingleBar({ format, stream: process.stderr, hideCursor: true }) };
        current.bar.start(total, done);
      }
      current.bar.update(done);
    },
    stop: () => current?.bar.stop(),
  };
}

function lines(): ReturnType<typeof reportProgress> {
  let last = performance.now();
  return {
    onProgress: ({ step, done, total }) => {
      const now = performance.now();
      if (done < total && now - last < LINE_EVERY_MS) return;
      last = now;
      process.stderr.write(`${step}: ${done} of ${total}\n`);
    },
    stop: () => {},
  };
}
