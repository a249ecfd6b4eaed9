/**
 * Commits through the coordinator of a database while there is one, directly while there is none. Values too large for a
 * node are in a data file of this process before the request is sent, so that only references travel.
 * @module
 */
import type { CommitOptions, CommitReceipt, Committer, Mutation } from "../contract.ts";
import { isOcdbtError, OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import { backOff } from "../io/pause.ts";
import type { DatabaseParts } from "../parts.ts";
import { fence, type LeaseRecord, readLease } from "./lease.ts";
import { type CommitRequest, decodeReply, encodeRequest } from "./message.ts";
import { newClientId } from "./request-id.ts";
import type { Transport } from "./transport.ts";

export interface CoordinatedOptions {
  /** Opens a way to the holder of the lease; `undefined`: this process has none, and commits directly. */
  readonly connect: (lease: LeaseRecord) => Transport | undefined;
  /** How often a request is sent before this process commits itself; 3 unless told. */
  readonly attempts?: number;
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

interface Connection {
  readonly holder: string;
  readonly transport: Transport | undefined;
}

class CoordinatedCommitter implements Committer {
  readonly #options: CoordinatedOptions;
  readonly #direct: Committer;
  readonly #parts: Omit<DatabaseParts, "committer">;
  readonly #client = newClientId();
  /** Numbers without an answer yet. */
  readonly #open = new Set<bigint>();
  #next = 0n;
  #connection: Connection | undefined;

  constructor(options: CoordinatedOptions, direct: Committer, parts: Omit<DatabaseParts, "committer">) {
    this.#options = options;
    this.#direct = direct;
    this.#parts = parts;
  }

  async commit(mutations: readonly Mutation[], options: CommitOptions): Promise<CommitReceipt> {
    const { signal } = options;
    // Without a coordinator nothing is to be uploaded apart, and nobody asks twice.
    if ((await this.#connect(signal)) === undefined) return await this.#direct.commit(mutations, options);
    const seq = this.#next++;
    this.#open.add(seq);
    try {
      const newest = await this.#parts.manifests.read(withSignal(signal));
      const since = newest?.manifest.versions.at(-1)?.generation ?? 0n;
      const upload = await this.#upload(mutations, signal);
      const receipt = await this.#ask(
        {
          id: { client: this.#client, seq },
          since,
          sentBefore: false,
          acknowledged: 0n,
          atomic: options.atomic,
          ...(options.message === undefined ? {} : { message: options.message }),
          ...(options.author === undefined ? {} : { author: options.author }),
          expects: options.expects ?? [],
          mutations: upload.mutations,
        },
        signal,
      );
      if (receipt.head === undefined) await this.#discard(upload.files);
      return receipt;
    } finally {
      this.#open.delete(seq);
    }
  }

  async close(): Promise<void> {
    await this.#connection?.transport?.close();
    await this.#direct.close();
  }

  async #ask(request: CommitRequest, signal: AbortSignal | undefined): Promise<CommitReceipt> {
    const { store } = this.#parts;
    const { attempts = 3 } = this.#options;
    let sentBefore = false;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const transport = await this.#connect(signal);
      if (transport === undefined) break;
      try {
        const acknowledged = this.#open.values().next().value ?? request.id.seq;
        const message = encodeRequest({ ...request, sentBefore, acknowledged });
        // From here on it may have been done, whatever we hear.
        sentBefore = true;
        const reply = decodeReply(await transport.send(message, withSignal(signal)));
        if ("receipt" in reply) return reply.receipt;
        const { code } = reply.error;
        if (code === "failed") throw new OcdbtError("ambiguous", `the coordinator failed: ${reply.error.message}`);
        throw new OcdbtError(code, reply.error.message);
      } catch (error) {
        if (!isOcdbtError(error, "unavailable")) throw error;
        await this.#disconnect();
        await backOff(attempt + 2, signal);
      }
    }
    // A committer that is only out of our reach must not do later what is done here now.
    if (sentBefore) await fence(store, signal);
    return await this.#direct.commit(request.mutations, {
      atomic: request.atomic,
      expects: request.expects,
      ...(request.message === undefined ? {} : { message: request.message }),
      ...(request.author === undefined ? {} : { author: request.author }),
      request: { id: request.id, since: request.since, sentBefore },
      ...withSignal(signal),
    });
  }

  async #connect(signal: AbortSignal | undefined): Promise<Transport | undefined> {
    if (this.#connection?.transport !== undefined) return this.#connection.transport;
    const lease = await readLease(this.#parts.store, signal);
    if (lease === undefined || lease.record.holder === null) return undefined;
    const transport = this.#options.connect(lease.record);
    this.#connection = { holder: lease.record.holder, transport };
    return transport;
  }

  async #disconnect(): Promise<void> {
    const transport = this.#connection?.transport;
    this.#connection = undefined;
    await transport?.close();
  }

  async #upload(
    mutations: readonly Mutation[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly mutations: readonly Mutation[]; readonly files: readonly string[] }> {
    const { maxInlineValueBytes } = this.#parts.config;
    const isLarge = (value: unknown): value is Uint8Array =>
      value instanceof Uint8Array && value.length > maxInlineValueBytes;
    if (!mutations.some((mutation) => mutation.op === "put" && isLarge(mutation.value)))
      return { mutations, files: [] };
    const writer = this.#parts.newDataFileWriter();
    const referring = mutations.map((mutation) =>
      mutation.op === "put" && isLarge(mutation.value)
        ? { ...mutation, value: writer.append(mutation.value, "value") }
        : mutation,
    );
    try {
      await writer.flush(withSignal(signal));
    } catch (error) {
      await this.#discard(writer.files).catch(() => {});
      throw error;
    }
    return { mutations: referring, files: writer.files };
  }

  /** Removes values that no version refers to. */
  async #discard(files: readonly string[]): Promise<void> {
    for (const file of files) await this.#parts.store.write(pathToBytes(file), null);
  }
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
