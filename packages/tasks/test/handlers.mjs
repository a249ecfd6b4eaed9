/** Handlers the pool tests run in threads. */
import { threadId } from "node:worker_threads";

const transferMark = Symbol.for("@pcg/tasks transfer");

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

export const handlers = {
  echo: (payload) => payload,
  thread: () => threadId,
  sum: ({ values }) => values.reduce((a, b) => a + b, 0n),
  fill: ({ length, value }) => {
    const bytes = new Uint8Array(length).fill(value);
    return { [transferMark]: [bytes.buffer], value: { bytes, byteLength: length } };
  },
  /** Ends when the gate (shared memory) is opened. */
  hold: ({ gate }) => until(() => Atomics.load(gate, 0) === 1),
  /** Whether the gate is open. */
  peek: ({ gate }) => Atomics.load(gate, 0),
  /** Ends when `count` tasks have come here. */
  meet: async ({ gate, count }) => {
    Atomics.add(gate, 0, 1);
    await until(() => Atomics.load(gate, 0) >= count);
    return threadId;
  },
  /** Says on `port` that it runs, then spins, asking the signal. */
  spin: ({ flag }, { signal }) => {
    Atomics.store(flag, 0, 1);
    for (;;) {
      signal.throwIfAborted();
      Atomics.add(flag, 1, 1);
    }
  },
  /** Never asks. */
  deaf: ({ flag }) => {
    Atomics.store(flag, 0, 1);
    for (;;) Atomics.add(flag, 1, 1);
  },
  /** Notices the abort through its event, which needs the thread's event loop. */
  listen: ({ flag }, { signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        Atomics.store(flag, 1, 1);
        reject(signal.reason);
      });
      Atomics.store(flag, 0, 1);
    }),
  fail: () => {
    const cause = Object.assign(new RangeError("chunk 3 is short"), { code: "corrupt", offset: 7n });
    throw Object.assign(new TypeError("cannot decode", { cause }), {
      code: "bad-chunk",
      field: { x: 1 },
      gone: () => 1,
    });
  },
  failWith: ({ thrown }) => {
    throw thrown;
  },
  failMany: () => Promise.any([Promise.reject(new Error("one")), Promise.reject(new RangeError("two"))]),
  exit: ({ code }) => process.exit(code),
  throwLater: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new Error("outside of the task");
      });
    }),
  outOfMemory: () => {
    const held = [];
    for (;;) held.push({ a: held.length, b: [held.length] });
  },
  notPlain: () => () => 1,
};
