/**
 * What runs in each thread of a pool: finds the handler of a task, gives it a signal, and sends its result or its error home.
 *
 * Plain JavaScript, shipped as it is, because a thread must be able to load it from a checkout that was never built.
 * @module
 */
// @ts-check
import { workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";

/** Marks a result whose buffers are to be moved: see `withTransfer`. */
const transferMark = Symbol.for("@pcg/tasks transfer");

/** How often a task that awaits something looks whether it was cancelled. */
const pollMs = 20;
const maxCauses = 8;

// A DOMException that ends the thread, such as that of a result which cannot be sent, would arrive as an empty object.
process.on("uncaughtException", (error) => {
  throw error instanceof DOMException ? Object.assign(new Error(error.message), { code: error.name }) : error;
});

/** @type {Promise<Record<string, Function>> | undefined} */
let handlers;

/**
 * @param {{ name: string, payload: unknown, flags: Int32Array }} task `flags`: it is to stop; it has begun
 */
export default async function runTask({ name, payload, flags }) {
  Atomics.store(flags, 1, 1);
  const { signal, stop } = cancellable(flags);
  try {
    handlers ??= loadHandlers(workerData.module);
    const known = await handlers;
    if (!Object.hasOwn(known, name)) return { unknown: Object.keys(known) };
    signal.throwIfAborted();
    const value = await known[name](payload, { signal });
    const buffers = value?.[transferMark];
    if (buffers === undefined) return { value };
    return move({ [transferableSymbol]: buffers, [valueSymbol]: { value: value.value } });
  } catch (error) {
    return { error: describe(error, maxCauses) };
  } finally {
    stop();
  }
}

/** @param {string} module */
async function loadHandlers(module) {
  const loaded = await import(module);
  if (typeof loaded.handlers !== "object" || loaded.handlers === null) {
    throw new TypeError(`${module} does not export an object named "handlers"`);
  }
  return loaded.handlers;
}

/**
 * A signal that follows a shared flag: at once when it is asked, which works in loops that never await, else within
 * `pollMs`.
 *
 * @param {Int32Array} flags
 */
function cancellable(flags) {
  const controller = new AbortController();
  const { signal } = controller;
  const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted")?.get;
  const look = () => {
    const aborted = isAborted?.call(signal);
    if (aborted || Atomics.load(flags, 0) === 0) return aborted;
    controller.abort();
    return true;
  };
  Object.defineProperty(signal, "aborted", { get: look });
  Object.defineProperty(signal, "throwIfAborted", {
    value: () => {
      if (look()) throw signal.reason;
    },
  });
  const timer = setInterval(look, pollMs);
  return { signal, stop: () => clearInterval(timer) };
}

/**
 * An error as plain data: name, message, stack, own fields that are plain data, and its causes.
 *
 * @param {any} error
 * @param {number} depth
 * @returns {Record<string, unknown>}
 */
function describe(error, depth) {
  if (!(error instanceof Error)) return { thrown: isCloneable(error) ? error : String(error) };
  /** @type {Record<string, unknown>} */
  const fields = {};
  for (const [key, value] of Object.entries(error)) {
    if (!(value instanceof Error) && isCloneable(value)) fields[key] = value;
  }
  // The code of a DOMException is a legacy number behind a getter of its prototype, like its name.
  return {
    name: String(error.name),
    message: String(error.message),
    stack: String(error.stack),
    fields,
    ...("cause" in error && depth > 0 ? { cause: describe(error.cause, depth - 1) } : {}),
    ...(error instanceof AggregateError && depth > 0
      ? { errors: error.errors.map((e) => describe(e, depth - 1)) }
      : {}),
  };
}

/** @param {unknown} value */
function isCloneable(value) {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
