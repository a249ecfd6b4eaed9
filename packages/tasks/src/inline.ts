/**
 * Running tasks on the calling thread.
 * @module
 */
import { ByteBudget } from "./byte-budget.ts";
import type { RunOptions, TaskHandler, TaskHandlers, TaskRunner } from "./contract.ts";
import { TaskError } from "./errors.ts";
import { linkSignals } from "./link-signals.ts";
import { takeTransfer } from "./transfer.ts";

export interface InlineRunnerOptions {
  /** Memory budget that tasks share, in bytes; none unless told. */
  readonly maxBytes?: number;
}

/**
 * A runner that calls handlers where it stands: for tests, browsers and small work. Payloads and results are structured
 * clones as in a pool, so that what works here works there; `transfer` moves buffers.
 */
export function inlineRunner(handlers: TaskHandlers, options: InlineRunnerOptions = {}): TaskRunner {
  return new InlineRunner(handlers, new ByteBudget(options.maxBytes ?? Number.POSITIVE_INFINITY));
}

class InlineRunner implements TaskRunner {
  readonly parallelism = 1;
  readonly #handlers: TaskHandlers;
  readonly #budget: ByteBudget;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(handlers: TaskHandlers, budget: ByteBudget) {
    this.#handlers = handlers;
    this.#budget = budget;
  }

  async run<Result>(name: string, payload: unknown, options: RunOptions = {}): Promise<Result> {
    const { bytes = 0, signal: outer, transfer = [] } = options;
    outer?.throwIfAborted();
    const closing = this.#closing.signal;
    if (closing.aborted) throw closed(name);
    const handler = Object.hasOwn(this.#handlers, name) ? this.#handlers[name] : undefined;
    if (handler === undefined) {
      const known = Object.keys(this.#handlers).join(", ") || "none";
      throw new TaskError("unknown-task", name, `no handler for task "${name}"; known: ${known}`);
    }
    const refusal = this.#budget.refusal(bytes);
    if (refusal !== undefined) throw new TaskError("too-large", name, `task "${name}": ${refusal}`);
    const { signal, unlink } = linkSignals(outer, closing);
    try {
      const release = await this.#budget.take(bytes, signal);
      try {
        return (await this.#track(this.#call(name, handler, payload, signal, transfer))) as Result;
      } finally {
        release();
      }
    } catch (error) {
      throw closing.aborted && error === closing.reason ? closed(name) : error;
    } finally {
      unlink();
    }
  }

  /** Aborts what runs or waits, with a {@link TaskError} `closed`, and waits until it has stopped. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
  }

  async #call(
    name: string,
    handler: TaskHandler,
    payload: unknown,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[],
  ): Promise<unknown> {
    const sent = clone(name, "payload", payload, transfer);
    try {
      const { value, buffers } = takeTransfer(await handler(sent as never, { signal }));
      return clone(name, "result", value, buffers);
    } finally {
      // Whatever came of it, an aborted task ends as aborted.
      signal.throwIfAborted();
    }
  }

  async #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

function closed(task: string): TaskError {
  return new TaskError("closed", task, `task "${task}": the runner was closed`);
}

function clone(task: string, what: string, value: unknown, transfer: readonly ArrayBuffer[]): unknown {
  try {
    return structuredClone(value, { transfer: [...transfer] });
  } catch (cause) {
    throw new TaskError("failed", task, `task "${task}": its ${what} is not plain data (structured clone failed)`, {
      cause,
    });
  }
}
