/**
 * What a coordinator knows while it holds one epoch of the lease: enough to do nothing twice.
 *
 * A client has one batch under way, so the last one is all that is remembered of it: an earlier one was settled, the same
 * one gets the same answer. What was asked for before the term began, or of a client that was forgotten, may be in a version
 * already, and is looked for.
 * @module
 */
import { OcdbtError } from "../errors.ts";
import type { StoredLease } from "./lease.ts";
import type { Batch, Outcome } from "./message.ts";

/** The last batch of a client is remembered this long after it fell silent. */
const FORGET_AFTER_MS = 600_000;
const MAX_CLIENTS = 10_000;

interface Client {
  /** Of its last batch. */
  readonly seq: bigint;
  readonly since: bigint;
  readonly outcomes: Promise<readonly Outcome[]>;
  /** `performance.now()` ms. */
  seen: number;
  isSettled: boolean;
}

export class Term {
  readonly epoch: number;
  /** As it was renewed last. */
  lease: StoredLease;
  /** One value a term, so that requests of a group share one look at the lease. */
  readonly mayCommit: () => Promise<void>;
  readonly #clients = new Map<string, Client>();
  /** What clients asked for when they knew of a newer version than this was sent to nobody before, or is remembered. */
  #remembersSince: bigint;

  constructor(lease: StoredLease, newest: bigint, mayCommit: () => Promise<void>) {
    this.epoch = lease.record.epoch;
    this.lease = lease;
    this.mayCommit = mayCommit;
    this.#remembersSince = newest;
  }

  /** Commits a batch, or waits for what became of it when it came before. @throws OcdbtError `unavailable` */
  async once(
    { client: name, seq, since }: Batch,
    commit: (sentBefore: boolean) => Promise<readonly Outcome[]>,
  ): Promise<readonly Outcome[]> {
    const known = this.#clients.get(name);
    if (known !== undefined && seq < known.seq) {
      throw new OcdbtError("unavailable", `request ${seq} comes after its client was done with it`);
    }
    const now = performance.now();
    if (known?.seq === seq) {
      known.seen = now;
      return await known.outcomes;
    }
    const client: Client = { seq, since, outcomes: commit(since <= this.#remembersSince), seen: now, isSettled: false };
    // Insertion order is about the order of use, so that the silent ones are in front.
    this.#clients.delete(name);
    this.#clients.set(name, client);
    this.#forgetSilent(now);
    const outcomes = await client.outcomes;
    client.isSettled = true;
    // What was refused was not done. Sent again it is tried again, and what was done beside it is found.
    const isRefused = outcomes.some((outcome) => "error" in outcome && outcome.error.code === "unavailable");
    if (isRefused && this.#clients.get(name) === client) this.#forget(name, client);
    return outcomes;
  }

  #forgetSilent(now: number): void {
    for (const [name, client] of this.#clients) {
      if (this.#clients.size <= MAX_CLIENTS && now - client.seen <= FORGET_AFTER_MS) return;
      if (client.isSettled) this.#forget(name, client);
    }
  }

  #forget(name: string, { since }: Client): void {
    this.#clients.delete(name);
    if (since > this.#remembersSince) this.#remembersSince = since;
  }
}
