/** The runners that must behave alike. */
import type { TaskRunner } from "@pcg/tasks";
import { inlineRunner } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
// @ts-expect-error: plain JavaScript, because threads load it too
import { handlers } from "./handlers.mjs";

export const module: URL = new URL("./handlers.mjs", import.meta.url);

/** Shared memory that a task waits at: `hold` until it is opened. */
export function closedGate(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

export function openGate(gate: Int32Array): void {
  Atomics.store(gate, 0, 1);
}

export const runners: Record<string, (options: { maxBytes?: number }) => TaskRunner> = {
  inline: (options) => inlineRunner(handlers, options),
  pool: (options) => poolRunner({ module, parallelism: 2, ...options }),
};
