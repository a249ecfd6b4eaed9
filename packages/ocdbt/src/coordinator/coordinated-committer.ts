/**
 * Commits through the coordinator of a database while there is one, directly while there is none. What is asked for while a
 * batch is under way waits, and goes together in the next one, in order. Values too large for a node are in a data file of
 * this process before the batch is sent, so that only references travel.
 * @module
 */

import { GroupCancellation } from "../commit/group-cancellation.ts";
import { checkKey } from "../commit/requests.ts";
import type { CommitOptions, CommitReceipt, Committer, Mutation } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import { checkMessage } from "../history/messages.ts";
import { backOff } from "../io/pause.ts";
import { unlessAborted } from "../io/shared-reads.ts";
import type { DatabaseParts } from "../parts.ts";
import { fence, type LeaseRecord, readLease } from "./lease.ts";
import { type Batch, type BatchReply, decodeReply, encodeBatch, type Failure, type Outcome } from "./message.ts";
import { newClientId } from "./request-id.ts";
import { isUndelivered, type Transport } from "./transport.ts";

export interface CoordinatedOptions {
  /** Opens a way to the holder of the lease; `undefined`: this process has none, and commits directly. */
  readonly connect: (lease: LeaseRecord) => Transport | undefined;
  /** How often a batch is sent before this process commits itself; 3 (`ATTEMPTS`) unless told. */
  readonly attempts?: number;
  /** How long, ms, an answer is waited for before the batch is sent again; 30 s unless told. */
  readonly timeoutMs?: number;
}

/**
 * For `openOcdbt(store, { committer: coordinatedCommitter({ connect }) })`.
 *
 * @example
 * const connect = ({ address }) => (address === null ? undefined : httpTransport(address));
 * const db = await openOcdbt(store, { committer: coordinatedCommitter({ connect }) });
 */
export function coordinatedCommitter(
  options: CoordinatedOptions,
): (direct: Committer, parts: Omit<DatabaseParts, "committer">) => Committer {
  return (direct, parts) => new CoordinatedCommitter(options, direct, parts);
}

/**
 * Values are uploaded before the batch is sent, and a version refers to them at most `ATTEMPTS` × `TIMEOUT_MS` (90 s, with some more for the pauses
 * between) later: less than any sweep leaves them for (`MIN_GRACE_MS`, 15 min). A batch that an answer is waited for longer, or that a
 * coordinator finds after it has stood still, is safe too: whoever commits references looks first at what they refer to (`handed-in.ts`).
 */
export const ATTEMPTS = 3;
export const TIMEOUT_MS = 30_000;

/** How old, ms, the version may be that a batch names as there before it: older ones mean more to look through later. */
const SINCE_MS = 2000;
/** A batch takes no more when its inline values and keys are this large together. */
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_MUTATIONS = 100_000;
/** Longest time, ms, for which a coordinator is not tried that could not be reached; no longer than its lease lasts. */
const MAX_AVOIDED_MS = 60_000;

interface Waiting {
  readonly mutations: readonly Mutation[];
  readonly options: CommitOptions;
  readonly resolve: (receipt: CommitReceipt) => void;
  readonly reject: (reason: unknown) => void;
}

interface Connection {
  readonly transport: Transport;
  readonly holder: string;
  readonly durationMs: number;
}

interface Uploaded {
  readonly mutations: readonly (readonly Mutation[])[];
  readonly files: readonly string[];
}

class CoordinatedCommitter implements Committer {
  readonly #options: CoordinatedOptions;
  readonly #direct: Committer;
  readonly #parts: Omit<DatabaseParts, "committer">;
  readonly #client = newClientId();
  #next = 0n;
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #connection: Connection | undefined;
  /** A holder that is dead, or that others can reach and we cannot, is left alone for a while, `performance.now()` ms. */
  #avoided: { readonly holder: string | undefined; readonly until: number } = { holder: undefined, until: 0 };

  constructor(options: CoordinatedOptions, direct: Committer, parts: Omit<DatabaseParts, "committer">) {
    this.#options = options;
    this.#direct = direct;
    this.#parts = parts;
  }

  async commit(mutations: readonly Mutation[], options: CommitOptions): Promise<CommitReceipt> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw new OcdbtError("closed", `${this.#parts.store.url} was closed`);
    checkMessage(options);
    for (const mutation of mutations) if (mutation.op !== "deleteRange") checkKey(mutation.key);
    return await new Promise<CommitReceipt>((resolve, reject) => {
      this.#queue.push({ mutations, options, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#disconnect();
    await this.#direct.close();
  }

  async #drain(): Promise<void> {
    // What is asked for in the same turn of the event loop comes along.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      const cancel = new GroupCancellation(group);
      try {
        await this.#settle(group, cancel.signal);
      } catch (error) {
        for (const { reject } of group) reject(error);
      } finally {
        cancel.end();
      }
    }
    this.#running = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let mutations = 0;
    let end = 0;
    while (end < this.#queue.length && bytes < BATCH_BYTES && mutations < BATCH_MUTATIONS) {
      const waiting = this.#queue[end++]!;
      mutations += waiting.mutations.length;
      for (const mutation of waiting.mutations) bytes += this.#travellingBytes(mutation);
    }
    const group = this.#queue.splice(0, end);
    const isWanted = ({ options, reject }: Waiting): boolean => {
      if (options.signal?.aborted) reject(options.signal.reason);
      return !options.signal?.aborted;
    };
    return group.filter(isWanted);
  }

  async #settle(group: readonly Waiting[], signal: AbortSignal): Promise<void> {
    if (group.length === 0) return;
    if ((await this.#connect(signal)) === undefined) {
      // Nobody to ask: nothing is to be uploaded apart, and nobody asks twice.
      await this.#commitDirectly(group, ({ mutations, options }) => this.#direct.commit(mutations, options));
      return;
    }
    const seq = this.#next;
    this.#next += BigInt(group.length);
    const newest = await this.#parts.manifests.read({ maxStalenessMs: SINCE_MS, signal });
    const since = newest?.manifest.versions.at(-1)?.generation ?? 0n;
    const uploaded = await this.#upload(group, signal);
    const requests = group.map(({ options: { atomic, message, author, expects = [] } }, i) => ({
      atomic,
      ...(message === undefined ? {} : { message }),
      ...(author === undefined ? {} : { author }),
      expects,
      mutations: uploaded.mutations[i]!,
    }));
    const batch = { client: this.#client, seq, since, requests };
    const asked = await this.#ask(batch, signal).catch(async (error: unknown) => {
      if (!signal.aborted) await this.#discard(uploaded.files);
      throw error;
    });
    const isWritten =
      "outcomes" in asked
        ? await this.#answer(group, asked.outcomes)
        : await this.#commitThemselves(group, batch, asked.sentBefore);
    if (!isWritten) await this.#discard(uploaded.files);
  }

  /** What became of a batch, unless nobody can be asked; then whether it may have been done. */
  async #ask(
    batch: Batch,
    signal: AbortSignal,
  ): Promise<{ readonly outcomes: readonly Outcome[] } | { readonly sentBefore: boolean }> {
    let message: Uint8Array;
    try {
      message = encodeBatch(batch);
    } catch (error) {
      if (isOcdbtError(error, "too-large")) return { sentBefore: false };
      throw error;
    }
    let sentBefore = false;
    for (let attempt = 1; ; attempt++) {
      const connection = await this.#connect(signal);
      if (connection === undefined) return { sentBefore };
      let isReached = true;
      try {
        const reply = this.#read(await this.#send(connection.transport, message, signal), batch);
        if ("outcomes" in reply && !reply.outcomes.some(isRefusal)) return reply;
        if ("error" in reply && !isRefusal(reply)) throw errorOf(reply.error);
        // A refusal of the whole says that nothing was done this time.
        sentBefore ||= "outcomes" in reply;
      } catch (error) {
        signal.throwIfAborted();
        // What is said of a repetition says nothing of the first.
        if (!sentBefore && !isOcdbtError(error, "unavailable")) throw error;
        isReached = !isUndelivered(error);
        // Without an answer it may have been done.
        sentBefore ||= isReached;
      }
      await this.#disconnect();
      if (!isReached || attempt >= (this.#options.attempts ?? ATTEMPTS)) {
        const { holder, durationMs } = connection;
        this.#avoided = { holder, until: performance.now() + Math.min(durationMs, MAX_AVOIDED_MS) };
        return { sentBefore };
      }
      await backOff(attempt + 2, signal);
    }
  }

  async #send(transport: Transport, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const timer = setTimeout(() => {
      giveUp.abort(new OcdbtError("unavailable", `the coordinator has not answered within ${timeoutMs} ms`));
    }, timeoutMs);
    try {
      signal.throwIfAborted();
      return await unlessAborted(transport.send(message, { signal: giveUp.signal }), giveUp.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  #read(answer: Uint8Array, { requests }: Batch): BatchReply {
    let reason: string;
    try {
      const reply = decodeReply(answer);
      if ("error" in reply || reply.outcomes.length === requests.length) return reply;
      reason = `${reply.outcomes.length} outcomes of ${requests.length} requests`;
    } catch (error) {
      reason = (error as Error).message;
    }
    throw new OcdbtError("unavailable", `the answer of the coordinator cannot be understood: ${reason}`);
  }

  /** @returns whether any of it may have been written */
  async #answer(group: readonly Waiting[], outcomes: readonly Outcome[]): Promise<boolean> {
    const { manifests } = this.#parts;
    const receipts = outcomes.flatMap((outcome) => ("receipt" in outcome ? [outcome.receipt] : []));
    const known = manifests.cached(Number.POSITIVE_INFINITY)?.manifest.versions.at(-1)?.generation ?? 0n;
    // Whoever writes reads what was written, however old an answer may otherwise be.
    if (receipts.some(({ head }) => head !== undefined && head.generation > known))
      await manifests.read().catch(() => {});
    let mayBeWritten = receipts.some(({ head }) => head !== undefined);
    for (const [i, outcome] of outcomes.entries()) {
      if ("receipt" in outcome) {
        group[i]!.resolve(outcome.receipt);
        continue;
      }
      const error = errorOf(outcome.error);
      mayBeWritten ||= error.code === "ambiguous";
      group[i]!.reject(error);
    }
    return mayBeWritten;
  }

  /** Commits a batch that nobody else will commit from now on. @returns whether any of it may have been written */
  async #commitThemselves(group: readonly Waiting[], batch: Batch, sentBefore: boolean): Promise<boolean> {
    const { client, seq, since, requests } = batch;
    const unknown = (error: unknown): unknown => {
      if (!sentBefore || isOcdbtError(error)) return error;
      return new OcdbtError(
        "ambiguous",
        "the coordinator has not answered, and whether it made the commit cannot be seen; look for it before doing it again",
        { cause: error },
      );
    };
    try {
      // A committer that is only out of our reach must not do later what is done here now.
      if (sentBefore) await fence(this.#parts.store);
    } catch (error) {
      throw unknown(error);
    }
    return await this.#commitDirectly(group, async ({ options }, i) => {
      const id = { client, seq: seq + BigInt(i) };
      try {
        return await this.#direct.commit(requests[i]!.mutations, { ...options, request: { id, since, sentBefore } });
      } catch (error) {
        throw options.signal?.aborted ? error : unknown(error);
      }
    });
  }

  /** @returns whether any of it may have been written */
  async #commitDirectly(
    group: readonly Waiting[],
    commit: (waiting: Waiting, index: number) => Promise<CommitReceipt>,
  ): Promise<boolean> {
    const settled = await Promise.all(
      group.map(async (waiting, i) => {
        try {
          const receipt = await commit(waiting, i);
          waiting.resolve(receipt);
          return receipt.head !== undefined;
        } catch (error) {
          waiting.reject(error);
          return !isOcdbtError(error, "conflict", "too-large", "config-mismatch", "unsafe");
        }
      }),
    );
    return settled.some(Boolean);
  }

  async #connect(signal: AbortSignal): Promise<Connection | undefined> {
    if (this.#connection !== undefined) return this.#connection;
    const lease = await readLease(this.#parts.store, signal);
    if (lease === undefined || lease.record.holder === null) return undefined;
    const { holder, durationMs } = lease.record;
    if (holder === this.#avoided.holder && performance.now() < this.#avoided.until) return undefined;
    const transport = this.#options.connect(lease.record);
    if (transport !== undefined) this.#connection = { transport, holder, durationMs };
    return this.#connection;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.transport.close();
  }

  #isLarge(value: Extract<Mutation, { op: "put" }>["value"]): value is Uint8Array {
    return value instanceof Uint8Array && value.length > this.#parts.config.maxInlineValueBytes;
  }

  #travellingBytes(mutation: Mutation): number {
    if (mutation.op === "deleteRange") return mutation.start.length + (mutation.end?.length ?? 0);
    const isInline = mutation.op === "put" && mutation.value instanceof Uint8Array && !this.#isLarge(mutation.value);
    return mutation.key.length + (isInline ? (mutation.value as Uint8Array).length : 0);
  }

  async #upload(group: readonly Waiting[], signal: AbortSignal): Promise<Uploaded> {
    const writer = this.#parts.newDataFileWriter();
    const place = (mutation: Mutation): Mutation =>
      mutation.op === "put" && this.#isLarge(mutation.value)
        ? { ...mutation, value: writer.append(mutation.value, "value") }
        : mutation;
    const mutations = group.map((waiting) => waiting.mutations.map(place));
    try {
      await writer.flush({ signal });
    } catch (error) {
      await this.#discard(writer.files);
      throw error;
    }
    return { mutations, files: writer.files };
  }

  /** Removes values that no version refers to. What cannot be removed is left to `sweep`. */
  async #discard(files: readonly string[]): Promise<void> {
    await Promise.allSettled(files.map((file) => this.#parts.store.write(pathToBytes(file), null)));
  }
}

function isRefusal(outcome: Outcome | BatchReply): boolean {
  return "error" in outcome && outcome.error.code === "unavailable";
}

/** The error of this side for one of the other. */
function errorOf({ code, message }: Failure): OcdbtError {
  // What the store said over there is no certainty about what was written.
  if (code === "failed") return new OcdbtError("ambiguous", `the coordinator failed: ${message}`);
  return new OcdbtError(code, message);
}
