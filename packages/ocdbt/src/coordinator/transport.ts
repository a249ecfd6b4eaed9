/**
 * How a message reaches the committer and the answer comes back.
 * @module
 */
import { isOcdbtError, OcdbtError } from "../errors.ts";

/**
 * One way to one committer. Rejects with `OcdbtError` `unavailable` when no answer came, whether or not the message arrived; with an
 * error of {@link undelivered} when it certainly did not. A message may be delivered more than once.
 */
export interface Transport {
  send(message: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The error of a message that never arrived. */
export function undelivered(message: string, cause?: unknown): OcdbtError {
  return new OcdbtError("unavailable", message, { fields: { delivered: "no" }, cause });
}

export function isUndelivered(error: unknown): boolean {
  return isOcdbtError(error, "unavailable") && error.fields["delivered"] === "no";
}

/** What answers messages: a {@link "./coordinator.ts"!Coordinator}. */
export interface Answerer {
  answer(message: Uint8Array): Promise<Uint8Array>;
}

/** The part of `MessagePort` used here; ports of browsers and of `worker_threads` both have it. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: () => void): void;
  removeEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  start?(): void;
  close(): void;
}

interface Numbered {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Answers what comes through a port. @returns stops doing so */
export function servePort(port: Port, answerer: Answerer): () => void {
  const listener = ({ data }: { readonly data: unknown }): void => {
    if (!isNumbered(data)) return;
    void answerer.answer(data.bytes).then((bytes) => port.postMessage({ number: data.number, bytes }));
  };
  port.addEventListener("message", listener);
  port.start?.();
  return () => port.removeEventListener("message", listener);
}

/** Sends through a port; the other end is given to {@link servePort}. */
export function portTransport(port: Port): Transport {
  const waiting = new Map<number, { resolve: (bytes: Uint8Array) => void; reject: (error: unknown) => void }>();
  let next = 0;
  let closed = false;
  const onMessage = ({ data }: { readonly data: unknown }): void => {
    if (!isNumbered(data)) return;
    waiting.get(data.number)?.resolve(data.bytes);
    waiting.delete(data.number);
  };
  const onClose = (): void => {
    closed = true;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  };
  port.addEventListener("message", onMessage);
  port.addEventListener("close", onClose);
  port.start?.();
  return {
    send: (bytes, { signal } = {}) => {
      if (closed) return Promise.reject(undelivered("the port to the coordinator is closed"));
      if (signal?.aborted) return Promise.reject(signal.reason);
      const number = next++;
      return new Promise<Uint8Array>((resolve, reject) => {
        const abort = (): void => {
          waiting.delete(number);
          reject(signal!.reason);
        };
        const done = (): void => signal?.removeEventListener("abort", abort);
        signal?.addEventListener("abort", abort, { once: true });
        waiting.set(number, {
          resolve: (answer) => {
            done();
            resolve(answer);
          },
          reject: (error) => {
            done();
            reject(error);
          },
        });
        port.postMessage({ number, bytes });
      });
    },
    close: async () => {
      port.close();
      onClose();
    },
  };
}

function isNumbered(data: unknown): data is Numbered {
  if (typeof data !== "object" || data === null) return false;
  const { number, bytes } = data as Partial<Numbered>;
  return typeof number === "number" && bytes instanceof Uint8Array;
}

function gone(): OcdbtError {
  return new OcdbtError("unavailable", "the port to the coordinator is closed");
}
