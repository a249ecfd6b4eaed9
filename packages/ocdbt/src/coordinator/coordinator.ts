/**
 * The one committer of a database. It takes requests of many clients, lets the commit loop put those that wait together
 * into one version, and answers each once, however often it is sent. It can be killed at any point: what it had done
 * stands in the versions themselves, see `commit-record.ts`, and whoever is next looks there.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { Committer } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { pause } from "../io/pause.ts";
import { readLease, released, replaceLease, type StoredLease } from "./lease.ts";
import { type CommitReply, type CommitRequest, decodeRequest, encodeReply, errorReply } from "./message.ts";
import { newClientId } from "./request-id.ts";
import type { Answerer } from "./transport.ts";

export interface CoordinatorOptions {
  /** Store of the database: where the lease is. */
  readonly store: KvStore;
  /** Commits directly; its group commit is what makes many requests one version. */
  readonly committer: Committer;
  /** Where clients reach it; `null` when they are given a port. */
  readonly address: string | null;
  /** The lease is taken over when it was not renewed for this long. 10 s unless told. */
  readonly leaseMs?: number;
  /** Told when it becomes, or ceases to be, the committer. */
  readonly onLeading?: (leading: boolean) => void;
  /** Told when the lease could not be looked at or renewed; it is tried again. */
  readonly onTrouble?: (error: unknown) => void;
}

/** Replies are remembered this long for clients that fell silent. */
const FORGET_AFTER_MS = 600_000;
const MAX_CLIENTS = 10_000;

export class Coordinator implements Answerer {
  readonly holder: string = newClientId();
  readonly #options: CoordinatorOptions;
  readonly #leaseMs: number;
  readonly #clients = new Map<string, RememberedClient>();
  readonly #stopped = new AbortController();
  #lease: StoredLease | undefined;
  #watching: Promise<void> | undefined;
  /** One value, so that requests of a group share one look at the lease. */
  readonly #mayCommit = (): Promise<void> => this.#checkLease();
  #pending = 0;
  #idle: (() => void) | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 10_000;
  }

  get leading(): boolean {
    return this.#lease !== undefined;
  }

  /** Competes for the lease, renews it, and competes again after it was lost, until `stop`. */
  start(): void {
    this.#watching ??= this.#watch();
  }

  /** Answers what is under way, then lets go of the lease. */
  async stop(): Promise<void> {
    this.#stopped.abort(new OcdbtError("closed", "the coordinator was stopped"));
    await this.#watching;
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    const lease = this.#lease;
    this.#lead(undefined);
    if (lease !== undefined) await replaceLease(this.#options.store, lease, released(lease.record));
  }

  /** One message in, one out; a failure is an answer too. */
  async answer(message: Uint8Array): Promise<Uint8Array> {
    let reply: CommitReply;
    this.#pending++;
    try {
      reply = await this.#reply(decodeRequest(message));
    } catch (error) {
      reply = errorReply(error);
    } finally {
      this.#pending--;
      if (this.#pending === 0) this.#idle?.();
    }
    return encodeReply(reply);
  }

  async #reply(request: CommitRequest): Promise<CommitReply> {
    if (this.#stopped.signal.aborted || !this.leading) {
      throw new OcdbtError("unavailable", "this coordinator does not hold the lease of the database");
    }
    const client = this.#remember(request.id.client);
    for (const seq of client.replies.keys()) if (seq < request.acknowledged) client.replies.delete(seq);
    let reply = client.replies.get(request.id.seq);
    if (reply === undefined) {
      reply = this.#commit(request);
      client.replies.set(request.id.seq, reply);
      // A request that failed was not done; sent again, it is tried again.
      reply.catch(() => client.replies.delete(request.id.seq));
    }
    return await reply;
  }

  async #commit(request: CommitRequest): Promise<CommitReply> {
    const { id, since, sentBefore, atomic, expects, mutations, message, author } = request;
    const receipt = await this.#options.committer.commit(mutations, {
      atomic,
      expects,
      ...(message === undefined ? {} : { message }),
      ...(author === undefined ? {} : { author }),
      request: { id, since, sentBefore },
      mayCommit: this.#mayCommit,
    });
    return { receipt };
  }

  /** Called between reading the manifest and replacing it. @throws OcdbtError `unavailable` */
  async #checkLease(): Promise<void> {
    const mine = this.#lease;
    const current = mine === undefined ? undefined : await readLease(this.#options.store);
    if (mine !== undefined && current?.record.holder === this.holder && current.record.epoch === mine.record.epoch)
      return;
    this.#lead(undefined);
    throw new OcdbtError("unavailable", "this coordinator lost the lease of the database; nothing was committed");
  }

  async #watch(): Promise<void> {
    const { store, onTrouble } = this.#options;
    const { signal } = this.#stopped;
    let seen: { readonly generation: string; readonly at: number } | undefined;
    while (!signal.aborted) {
      try {
        if (this.#lease !== undefined) {
          const { record } = this.#lease;
          const renewed = await replaceLease(store, this.#lease, { ...record, renewal: record.renewal + 1 });
          this.#lead(renewed);
        }
        if (this.#lease === undefined) {
          const current = await readLease(store, signal);
          const now = performance.now();
          if (seen?.generation !== current?.generation) {
            seen = current === undefined ? undefined : { generation: current.generation, at: now };
          }
          const free = current === undefined || current.record.holder === null;
          if (free || now - (seen?.at ?? now) >= current.record.durationMs) this.#lead(await this.#take(current));
        }
      } catch (error) {
        if (!signal.aborted) onTrouble?.(error);
      }
      await pause(this.#leaseMs / 4, signal).catch(() => {});
    }
  }

  async #take(current: StoredLease | undefined): Promise<StoredLease | undefined> {
    const { store, address } = this.#options;
    return await replaceLease(store, current, {
      epoch: (current?.record.epoch ?? 0) + 1,
      holder: this.holder,
      address,
      durationMs: this.#leaseMs,
      renewal: 0,
    });
  }

  #lead(lease: StoredLease | undefined): void {
    const before = this.leading;
    this.#lease = lease;
    if (!this.leading) this.#clients.clear();
    if (before !== this.leading) this.#options.onLeading?.(this.leading);
  }

  #remember(name: string): RememberedClient {
    const now = performance.now();
    const client = this.#clients.get(name) ?? { replies: new Map<bigint, Promise<CommitReply>>(), seen: now };
    client.seen = now;
    // Insertion order is the order of use, so that the silent ones are in front.
    this.#clients.delete(name);
    this.#clients.set(name, client);
    for (const [other, { seen }] of this.#clients) {
      if (this.#clients.size <= MAX_CLIENTS && now - seen <= FORGET_AFTER_MS) break;
      this.#clients.delete(other);
    }
    return client;
  }
}

interface RememberedClient {
  readonly replies: Map<bigint, Promise<CommitReply>>;
  seen: number;
}
