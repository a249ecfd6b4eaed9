import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";
import { ByteBudget } from "../byte-budget.ts";
import type { RunOptions, TaskRunner } from "../contract.ts";
import { TaskError } from "../errors.ts";
import { linkSignals } from "../link-signals.ts";
import { onAbort } from "../on-abort.ts";
import { HandlerError, threadFailure } from "./failure.ts";
import { type Reply, reviveError } from "./reply.ts";

export interface PoolRunnerOptions {
  /** A JavaScript module that exports `handlers`; every thread loads it once. */
  readonly module: URL;
  /** Number of threads; the number of processors unless told. Threads start when they are first needed. */
  readonly parallelism?: number;
  /** Memory budget that tasks share by their `bytes`; none unless told. */
  readonly maxBytes?: number;
  /**
   * Size of each thread's JavaScript heap, in MiB (buffers and WebAssembly memory do not count). A thread that exceeds it
   * ends, and its task rejects with `oom`. V8 can report this only for most kinds of growth: a single huge `Map` or array
   * still ends the process.
   */
  readonly heapMiB?: number;
  /** How long an aborted task may take to notice before its thread is killed; 1000 ms unless told. */
  readonly graceMs?: number;
}

const defaultGraceMs = 1000;
/** Idle threads end after this. */
const idleMs = 10_000;

/**
 * A runner on worker threads.
 *
 * Tasks start in the order of `run`. An aborted task sees its signal at once, also in a loop that never awaits; when it
 * does not end within the grace time, its thread is killed. Either way `run` rejects with the signal's reason, once
 * nothing of the task runs any more. A thread that dies takes only its task with it.
 */
export function poolRunner(options: PoolRunnerOptions): TaskRunner {
  return new PoolRunner(options);
}

class PoolRunner implements TaskRunner {
  readonly parallelism: number;
  readonly #module: URL;
  readonly #graceMs: number;
  readonly #budget: ByteBudget;
  /** One per thread, so that piscina's own queue, which knows no bytes, stays empty. */
  readonly #threads: ByteBudget;
  readonly #pool: Piscina;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  /** How to end each task that no thread has begun. */
  readonly #unbegun = new Map<Int32Array, (error: Error) => void>();

  constructor(options: PoolRunnerOptions) {
    const { parallelism = availableParallelism(), maxBytes = Number.POSITIVE_INFINITY } = options;
    if (!Number.isInteger(parallelism) || parallelism < 1) {
      throw new RangeError(`parallelism must be an integer from 1 up, not ${parallelism}`);
    }
    this.parallelism = parallelism;
    this.#module = options.module;
    this.#graceMs = options.graceMs ?? defaultGraceMs;
    this.#budget = new ByteBudget(maxBytes);
    this.#threads = new ByteBudget(parallelism);
    this.#pool = new Piscina({
      filename: fileURLToPath(new URL("../../worker/entry.js", import.meta.url)),
      minThreads: 0,
      maxThreads: parallelism,
      idleTimeout: idleMs,
      // Waiting on shared memory between tasks would be quicker, but stops whatever I/O a module keeps going.
      atomics: "disabled",
      workerData: { module: options.module.href },
      ...(options.heapMiB === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: options.heapMiB } }),
    });
    this.#pool.on("error", (error: Error) => this.#onThreadLost(error));
  }

  async run<Result>(name: string, payload: unknown, options: RunOptions = {}): Promise<Result> {
    const { bytes = 0, signal: outer, transfer = [] } = options;
    outer?.throwIfAborted();
    const closing = this.#closing.signal;
    if (closing.aborted) throw closed(name);
    const refusal = this.#budget.refusal(bytes);
    if (refusal !== undefined) throw new TaskError("too-large", name, `task "${name}": ${refusal}`);
    const { signal, unlink } = linkSignals(outer, closing);
    try {
      const freeThread = await this.#threads.take(1, signal);
      try {
        const freeBytes = await this.#budget.take(bytes, signal);
        try {
          signal.throwIfAborted();
          return (await this.#track(this.#execute(name, payload, signal, transfer))) as Result;
        } finally {
          freeBytes();
        }
      } finally {
        freeThread();
      }
    } catch (error) {
      throw closing.aborted && error === closing.reason ? closed(name) : error;
    } finally {
      unlink();
    }
  }

  /** Aborts what runs or waits, with a {@link TaskError} `closed`, and ends the threads. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await this.#pool.destroy();
  }

  async #execute(
    name: string,
    payload: unknown,
    signal: AbortSignal,
    transfer: readonly ArrayBuffer[],
  ): Promise<unknown> {
    // Two flags shared with the thread: it is to stop; it has begun.
    const flags = new Int32Array(new SharedArrayBuffer(8));
    const kill = new AbortController();
    let lost: Error | undefined;
    this.#unbegun.set(flags, (error) => {
      lost = error;
      kill.abort();
    });
    let grace: NodeJS.Timeout | undefined;
    let killed: Promise<unknown> | undefined;
    const unfollow = onAbort(signal, () => {
      Atomics.store(flags, 0, 1);
      grace = setTimeout(() => {
        killed = this.#kill(kill);
      }, this.#graceMs);
    });
    try {
      const task = { name, payload, flags };
      const reply: Reply = await this.#pool.run(task, { signal: kill.signal, transferList: [...transfer] });
      if (reply.unknown !== undefined) {
        const known = reply.unknown.join(", ") || "none";
        throw new TaskError("unknown-task", name, `no handler for task "${name}" in ${this.#module}; known: ${known}`);
      }
      if (reply.error !== undefined) throw new HandlerError(reviveError(reply.error));
      return reply.value;
    } catch (error) {
      throw threadFailure(name, lost ?? error);
    } finally {
      this.#unbegun.delete(flags);
      clearTimeout(grace);
      unfollow();
      await killed;
      // Whatever came of it, an aborted task ends as aborted.
      signal.throwIfAborted();
    }
  }

  /**
   * A thread failed while it had no task: between tasks, which harms nobody but should not pass unseen, or while starting,
   * which piscina leaves the task waiting for it to bear for ever.
   */
  #onThreadLost(error: Error): void {
    const waiting = [...this.#unbegun].filter(([flags]) => Atomics.load(flags, 1) === 0);
    if (waiting.length === 0) process.emitWarning(error);
    for (const [, end] of waiting) end(error);
  }

  /** Has piscina drop the thread of a task, and waits until that thread has stopped: piscina itself does not. */
  async #kill(task: AbortController): Promise<void> {
    const before = this.#pool.threads;
    task.abort();
    const after = new Set(this.#pool.threads);
    await Promise.all(before.filter((thread) => !after.has(thread)).map((thread) => thread.terminate()));
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
