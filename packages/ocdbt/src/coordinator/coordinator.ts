/**
 * The one committer of a database. It takes batches of many clients, lets the commit loop put those that wait together
 * into one version, and answers each once, however often it is sent. It can be killed at any point: what it had done
 * stands in the versions themselves, see `commit-record.ts`, and whoever is next looks there.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { Committer } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { pause } from "../io/pause.ts";
import type { ManifestStore } from "../parts.ts";
import { removeOldRecords } from "./done-before.ts";
import { readLease, released, replaceLease, type StoredLease } from "./lease.ts";
import { type Batch, type BatchReply, decodeBatch, encodeReply, failureOf, type Outcome } from "./message.ts";
import { newClientId } from "./request-id.ts";
import { Term } from "./term.ts";
import type { Answerer } from "./transport.ts";

export interface CoordinatorOptions {
  /** Store of the database: where the lease is. */
  readonly store: KvStore;
  /** Commits directly; its group commit is what makes many requests one version. */
  readonly committer: Committer;
  /** Looked at when the lease is taken. */
  readonly manifests: ManifestStore;
  /** Where clients reach it; `null` when they are given a port. */
  readonly address: string | null;
  /** The lease is taken over when it was not renewed for this long. 10 s unless told. */
  readonly leaseMs?: number;
  /** Told when it becomes, or ceases to be, the committer. */
  readonly onLeading?: (leading: boolean) => void;
  /** Told when the lease could not be looked at or renewed; it is tried again. */
  readonly onTrouble?: (error: unknown) => void;
}

export class Coordinator implements Answerer {
  readonly holder: string = newClientId();
  readonly #options: CoordinatorOptions;
  readonly #leaseMs: number;
  readonly #stopped = new AbortController();
  #term: Term | undefined;
  #watching: Promise<void> | undefined;
  #pending = 0;
  #idle: (() => void) | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? 10_000;
  }

  get leading(): boolean {
    return this.#term !== undefined;
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
    const lease = this.#term?.lease;
    this.#lead(undefined);
    if (lease !== undefined) await replaceLease(this.#options.store, lease, released(lease.record));
  }

  /** One message in, one out; a failure is an answer too. */
  async answer(message: Uint8Array): Promise<Uint8Array> {
    this.#pending++;
    try {
      return encodeReply(await this.#reply(decodeBatch(message)));
    } catch (error) {
      return encodeReply({ error: failureOf(error) });
    } finally {
      this.#pending--;
      if (this.#pending === 0) this.#idle?.();
    }
  }

  async #reply(batch: Batch): Promise<BatchReply> {
    const term = this.#term;
    if (this.#stopped.signal.aborted || term === undefined) {
      throw new OcdbtError("unavailable", "this coordinator does not hold the lease of the database");
    }
    return { outcomes: await term.once(batch, (sentBefore) => this.#commit(batch, sentBefore, term)) };
  }

  async #commit({ client, seq, since, requests }: Batch, sentBefore: boolean, term: Term): Promise<readonly Outcome[]> {
    return await Promise.all(
      requests.map(async ({ mutations, ...options }, i): Promise<Outcome> => {
        try {
          const receipt = await this.#options.committer.commit(mutations, {
            ...options,
            request: { id: { client, seq: seq + BigInt(i) }, since, sentBefore },
            mayCommit: term.mayCommit,
          });
          return { receipt };
        } catch (error) {
          return { error: failureOf(error) };
        }
      }),
    );
  }

  /** Called between reading the manifest and replacing it. @throws OcdbtError `unavailable` */
  async #checkLease(epoch: number): Promise<void> {
    let current: StoredLease | undefined;
    try {
      current = await readLease(this.#options.store);
    } catch (cause) {
      throw new OcdbtError("unavailable", "this coordinator cannot look at its lease; nothing was committed", {
        cause,
      });
    }
    if (this.#isMine(current, epoch)) return;
    if (this.#term?.epoch === epoch) this.#lead(undefined);
    throw new OcdbtError("unavailable", "this coordinator lost the lease of the database; nothing was committed");
  }

  #isMine(lease: StoredLease | undefined, epoch: number): boolean {
    return lease !== undefined && lease.record.holder === this.holder && lease.record.epoch === epoch;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopped;
    const seen: Seen = { generation: undefined, at: 0 };
    while (!signal.aborted) {
      try {
        if (this.#term !== undefined) await this.#renew(this.#term);
        if (this.#term === undefined) await this.#compete(seen);
      } catch (error) {
        if (!signal.aborted) this.#options.onTrouble?.(error);
      }
      await pause(this.#leaseMs / 4, signal).catch(() => {});
    }
  }

  async #renew(term: Term): Promise<void> {
    const { store } = this.#options;
    const { record } = term.lease;
    let renewed = await replaceLease(store, term.lease, { ...record, renewal: record.renewal + 1 });
    if (renewed === undefined) {
      // Perhaps it was replaced by a renewal of ours whose answer was lost.
      const current = await readLease(store);
      if (this.#isMine(current, term.epoch)) renewed = current;
    }
    if (renewed !== undefined) term.lease = renewed;
    else if (this.#term === term) this.#lead(undefined);
  }

  /** Takes the lease when nobody holds it, or when it has not changed for as long as it was given for while we watched. */
  async #compete(seen: Seen): Promise<void> {
    const { store, manifests, address } = this.#options;
    const { signal } = this.#stopped;
    const current = await readLease(store, signal);
    const now = performance.now();
    if (seen.generation !== current?.generation) {
      seen.generation = current?.generation;
      seen.at = now;
    }
    // One that names us without our knowing was taken by a request whose answer was lost.
    const isFree = current === undefined || current.record.holder === null || current.record.holder === this.holder;
    if (!isFree && now - seen.at < current.record.durationMs) return;
    const epoch = (current?.record.epoch ?? 0) + 1;
    const record = { epoch, holder: this.holder, address, durationMs: this.#leaseMs, renewal: 0 };
    const lease = await replaceLease(store, current, record);
    if (lease === undefined) return;
    // Read after the lease was taken: whoever held it before can have done only what was asked for up to this version.
    const newest = await manifests.read({ maxStalenessMs: 0, signal });
    const version = newest?.manifest.versions.at(-1);
    this.#lead(new Term(lease, version?.generation ?? 0n, () => this.#checkLease(epoch)));
    if (version !== undefined) await removeOldRecords(store, version, signal);
  }

  #lead(term: Term | undefined): void {
    const before = this.leading;
    this.#term = term;
    if (before !== this.leading) this.#options.onLeading?.(this.leading);
  }
}

/** The lease of somebody else, and since when we know it as it is, `performance.now()` ms. */
interface Seen {
  generation: string | undefined;
  at: number;
}
