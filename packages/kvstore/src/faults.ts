/**
 * A store that misbehaves on demand, for crash tests of what is built on stores.
 * @module
 */
import type {
  AnyReadOptions,
  Key,
  KeyRange,
  KvStore,
  ListEntry,
  ListOptions,
  ReadResult,
  WriteOptions,
  WriteResult,
} from "./contract.ts";
import { KvStoreError } from "./errors.ts";
import { keyBytes, printKey } from "./keys.ts";
import { passOptional } from "./pass-optional.ts";

/** One call, as a schedule sees it before it happens. */
export interface FaultOperation {
  /** 0 for the first call on this store, counting every kind. */
  readonly index: number;
  readonly kind: "read" | "write" | "delete" | "list" | "deleteRange";
  /** The key of a read, write or delete. */
  readonly key?: Uint8Array;
  /** Length of the value of a write. */
  readonly size?: number;
  /** On writes and deletes with `ifGeneration`. */
  readonly conditional?: true;
}

/** What goes wrong with one call. */
export type Fault = (
  | {
      /** Reject with `error`, or a `transient` one, without doing anything. */
      readonly kind: "fail";
      readonly error?: unknown;
    }
  | {
      /** Wait, then behave. */
      readonly kind: "delay";
      readonly until: PromiseLike<unknown>;
    }
  | {
      /**
       * As a store that is not atomic: put only the first `bytes` of the value and reject. A read gets only those bytes and
       * does not notice; a list breaks off after that many entries.
       */
      readonly kind: "tear";
      readonly bytes: number;
    }
  | {
      /** Do it twice and answer with the second outcome, as a resent request. */
      readonly kind: "duplicate";
    }
  | {
      /** Do it, then reject as if the answer were lost: `transient`. */
      readonly kind: "lose-ack";
    }
) & {
  /** After this call the process counts as dead: every later call rejects with `closed`. */
  readonly thenCrash?: true;
};

/** Decides about each call, in order. It also serves to record them. */
export type FaultSchedule = (operation: FaultOperation) => Fault | undefined;

/** The fault befalls the call with this index among those that `matches` (all, unless told). */
export function faultAt(
  index: number,
  fault: Fault,
  matches: (operation: FaultOperation) => boolean = () => true,
): FaultSchedule {
  let seen = 0;
  return (operation) => (matches(operation) && seen++ === index ? fault : undefined);
}

/** `store` with faults. Deterministic: what happens depends on the order of calls and on the schedule alone. */
export function withFaults(store: KvStore, schedule: FaultSchedule): KvStore {
  const faults = new Faults(store, schedule);
  return {
    capabilities: store.capabilities,
    url: store.url,
    spec: store.spec,
    read: ((key: Key, options?: AnyReadOptions) => faults.read(key, options)) as KvStore["read"],
    write: (key, value, options) => faults.write(key, value, options),
    list: (options) => faults.list(options),
    deleteRange: (range, options) => faults.deleteRange(range, options),
    ...passOptional(store),
    close: () => store.close(),
  };
}

class Faults {
  readonly #store: KvStore;
  readonly #schedule: FaultSchedule;
  #count = 0;
  #crashed = false;

  constructor(store: KvStore, schedule: FaultSchedule) {
    this.#store = store;
    this.#schedule = schedule;
  }

  async read(key: Key, options?: AnyReadOptions): Promise<ReadResult | "unchanged" | undefined> {
    const read = (): Promise<ReadResult | "unchanged" | undefined> => this.#store.read(key, options as AnyReadOptions);
    const fault = this.#next({ kind: "read", key: keyBytes(key) });
    if (fault?.kind !== "tear") return await this.#apply(fault, `read of ${printKey(key)}`, read);
    const result = await read();
    return typeof result === "object" ? { ...result, value: result.value.subarray(0, fault.bytes) } : result;
  }

  async write(key: Key, value: Uint8Array | null, options?: WriteOptions): Promise<WriteResult> {
    const kind = value === null ? "delete" : "write";
    const what = `${kind} of ${printKey(key)}`;
    const fault = this.#next({
      kind,
      key: keyBytes(key),
      ...(value === null ? {} : { size: value.length }),
      ...(options?.ifGeneration === undefined ? {} : { conditional: true }),
    });
    if (fault?.kind === "tear") {
      if (value !== null) await this.#store.write(key, value.subarray(0, fault.bytes), options);
      throw this.#transient(`${what} was torn after ${fault.bytes} bytes`);
    }
    return await this.#apply(fault, what, () => this.#store.write(key, value, options));
  }

  async *list(options?: ListOptions): AsyncGenerator<ListEntry> {
    const fault = this.#next({ kind: "list" });
    if (fault?.kind !== "tear")
      await this.#apply(fault?.kind === "lose-ack" ? { kind: "fail" } : fault, "list", async () => {});
    let count = 0;
    for await (const entry of this.#store.list(options)) {
      if (fault?.kind === "tear" && count++ === fault.bytes)
        throw this.#transient(`list broke off after ${fault.bytes} entries`);
      yield entry;
    }
  }

  async deleteRange(range: KeyRange, options?: { readonly signal?: AbortSignal }): Promise<void> {
    const fault = this.#next({ kind: "deleteRange" });
    if (fault?.kind !== "tear") {
      await this.#apply(fault, "deleteRange", () => this.#store.deleteRange(range, options));
      return;
    }
    let left = fault.bytes;
    for await (const { key } of this.#store.list({ range })) {
      if (left-- === 0) break;
      await this.#store.write(key, null);
    }
    throw this.#transient(`deleteRange broke off after ${fault.bytes} keys`);
  }

  #next(operation: Omit<FaultOperation, "index">): Fault | undefined {
    if (this.#crashed) throw new KvStoreError("closed", `${this.#store.url}: the process has crashed, by schedule`);
    const fault = this.#schedule({ ...operation, index: this.#count++ });
    if (fault?.thenCrash) this.#crashed = true;
    return fault;
  }

  async #apply<T>(fault: Fault | undefined, what: string, operate: () => Promise<T>): Promise<T> {
    switch (fault?.kind) {
      case "fail":
        throw fault.error ?? this.#transient(`${what} failed`);
      case "delay":
        await fault.until;
        return await operate();
      case "duplicate":
        await operate();
        return await operate();
      case "lose-ack":
        await operate();
        throw this.#transient(`the answer to ${what} was lost`);
      default:
        return await operate();
    }
  }

  #transient(text: string): KvStoreError {
    return new KvStoreError("transient", `${this.#store.url}: ${text}, by schedule`, { url: this.#store.url });
  }
}
