import { type FaultOperation, type KvStore, withFaults } from "@pcg/kvstore";
import type { Random } from "@pcg/testkit";
import type { LeaseRecord } from "../../src/coordinator/lease.ts";
import { undelivered } from "../../src/coordinator/transport.ts";
import { Coordinator, coordinatedCommitter, type OcdbtDatabase, openOcdbt, type Transport } from "../../src/index.ts";
import type { Scheduler } from "../support/scheduler.ts";

export const config = {
  maxInlineValueBytes: 6,
  maxDecodedNodeBytes: 300,
  versionTreeArityLog2: 2,
  compression: null,
} as const;

/** What happens to calls of a coordinator's store and to its mail. All `false` unless told. */
export interface Troubles {
  /** Called before each call of a coordinator's store: it dies before or after that call. */
  readonly dies?: (operation: FaultOperation) => "before" | "after" | undefined;
  /** Called before each call of a coordinator's store: how long, ms, it stands still. */
  readonly sleeps?: () => number;
  /** Called per message. Duplicates arrive after some time, whoever has the address then. */
  readonly mail?: () => "lost" | "answer-lost" | { readonly againAfter: number } | undefined;
}

interface Process {
  readonly coordinator: Coordinator;
  isDead: boolean;
}

export const LEASE_MS = 400;

/** Coordinators at fixed addresses that die and come back, and clients that find them by the lease. */
export class World {
  readonly #store: KvStore;
  readonly #scheduler: Scheduler;
  readonly #troubles: Troubles;
  readonly #kind: "single" | "numbered";
  readonly #living = new Map<string, Process>();
  readonly counts = { deaths: 0, starts: 0, sends: 0, led: 0 };

  constructor(store: KvStore, scheduler: Scheduler, kind: "single" | "numbered", troubles: Troubles = {}) {
    this.#store = store;
    this.#scheduler = scheduler;
    this.#kind = kind;
    this.#troubles = troubles;
  }

  async client(): Promise<OcdbtDatabase> {
    return await openOcdbt(this.#scheduler.wrap(this.#store), {
      config: { ...config, manifestKind: this.#kind },
      committer: coordinatedCommitter({ connect: (lease) => this.#transport(lease), timeoutMs: 1000, attempts: 2 }),
    });
  }

  /** A writer that knows nothing of coordinators. */
  async stranger(): Promise<OcdbtDatabase> {
    return await openOcdbt(this.#scheduler.wrap(this.#store), { config: { ...config, manifestKind: this.#kind } });
  }

  async start(address: string): Promise<void> {
    this.counts.starts++;
    const process: { isDead: boolean; coordinator?: Coordinator } = { isDead: false };
    const die = (): void => {
      if (process.isDead) return;
      process.isDead = true;
      this.counts.deaths++;
      setTimeout(() => void this.start(address), 150);
    };
    const mortal = withFaults(this.#scheduler.wrap(this.#store), (operation) => {
      if (process.isDead) return { kind: "fail", thenCrash: true };
      const sleep = this.#troubles.sleeps?.() ?? 0;
      const death = this.#troubles.dies?.(operation);
      if (death !== undefined) {
        die();
        return { kind: death === "before" ? "fail" : "lose-ack", thenCrash: true };
      }
      return sleep === 0 ? undefined : { kind: "delay", until: new Promise((wake) => setTimeout(wake, sleep)) };
    });
    let db: OcdbtDatabase;
    try {
      db = await openOcdbt(mortal, { config: { ...config, manifestKind: this.#kind } });
    } catch {
      // It died at once, and is started again.
      return;
    }
    const { store, committer, manifests } = db.parts;
    const onLeading = (leads: boolean): void => {
      if (leads) this.counts.led++;
    };
    process.coordinator = new Coordinator({ store, committer, manifests, address, leaseMs: LEASE_MS, onLeading });
    this.#living.set(address, process as Process);
    process.coordinator.start();
  }

  #transport({ address }: LeaseRecord): Transport | undefined {
    if (address === null) return undefined;
    return {
      send: async (message) => {
        this.counts.sends++;
        const what = this.#troubles.mail?.();
        if (typeof what === "object")
          setTimeout(() => void this.#deliver(address, message).catch(() => {}), what.againAfter);
        if (what === "lost") return await new Promise(() => {});
        const answer = await this.#deliver(address, message);
        return what === "answer-lost" ? await new Promise(() => {}) : answer;
      },
      close: async () => {},
    };
  }

  async #deliver(address: string, message: Uint8Array): Promise<Uint8Array> {
    const process = this.#living.get(address);
    if (process === undefined || process.isDead) throw undelivered(`nobody is at ${address}`);
    const answer = await process.coordinator.answer(message.slice());
    // The dead do not answer.
    return process.isDead ? await new Promise(() => {}) : answer;
  }
}

/** Troubles of all kinds, seldom enough that things get done. */
export function manyTroubles(random: Random): Troubles {
  return {
    dies: () => (random.below(60) === 0 ? random.pick(["before", "after"] as const) : undefined),
    sleeps: () => (random.below(50) === 0 ? random.below(10 * LEASE_MS) : 0),
    mail: () => {
      const roll = random.below(10);
      if (roll === 0) return "lost";
      if (roll === 1) return "answer-lost";
      return roll <= 4 ? { againAfter: random.below(6 * LEASE_MS) } : undefined;
    },
  };
}
