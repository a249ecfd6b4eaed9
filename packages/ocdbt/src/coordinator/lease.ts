/**
 * Who commits: one object beside the database, replaced only on condition, with an epoch that grows at every change of
 * hands. No clock is compared between machines: a lease counts as expired when it has not changed for its duration while
 * somebody watched. Losing it is harmless: the manifest decides, and a committer looks at the lease after it read the
 * manifest that it replaces, so that a late one finds either a newer epoch or a newer manifest.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { OcdbtError } from "../errors.ts";

export const LEASE_KEY = "coordinator/lease.json";
const MAX_LEASE_BYTES = 65_536;

export interface LeaseRecord {
  /** Grows by one whenever the holder changes, is fenced or lets go. */
  readonly epoch: number;
  /** `null`: nobody. */
  readonly holder: string | null;
  /** Where requests go, e.g. `unix:/run/pcg/db.sock` or `http://127.0.0.1:4100/`; `null` without a holder. */
  readonly address: string | null;
  /** The holder renews more often than this. */
  readonly durationMs: number;
  /** Grows at every renewal. */
  readonly renewal: number;
}

export interface StoredLease {
  readonly record: LeaseRecord;
  readonly generation: string;
}

/** @throws OcdbtError `corrupt` */
export async function readLease(store: KvStore, signal?: AbortSignal): Promise<StoredLease | undefined> {
  const found = await store.read(LEASE_KEY, signal === undefined ? {} : { signal });
  if (found === undefined) return undefined;
  return { record: decodeLease(found.value, store.url), generation: found.generation };
}

/** Replaces the lease if it still is `previous`. @returns what is stored now, or `undefined` when another came first. */
export async function replaceLease(
  store: KvStore,
  previous: StoredLease | undefined,
  record: LeaseRecord,
): Promise<StoredLease | undefined> {
  const value = new TextEncoder().encode(JSON.stringify(record));
  const { written, generation } = await store.write(LEASE_KEY, value, { ifGeneration: previous?.generation ?? null });
  return written ? { record, generation: generation! } : undefined;
}

/**
 * Ends whatever epoch there is, so that a committer that is late, dead or out of reach commits no more.
 * @returns once no holder of an epoch seen so far can commit on a manifest read from now on
 */
export async function fence(store: KvStore, signal?: AbortSignal): Promise<void> {
  for (;;) {
    signal?.throwIfAborted();
    const current = await readLease(store, signal);
    if (current === undefined || current.record.holder === null) return;
    if ((await replaceLease(store, current, released(current.record))) !== undefined) return;
  }
}

/** The lease without a holder. */
export function released({ epoch, durationMs }: LeaseRecord): LeaseRecord {
  return { epoch: epoch + 1, holder: null, address: null, durationMs, renewal: 0 };
}

function decodeLease(bytes: Uint8Array, url: string): LeaseRecord {
  const fail = (reason: string): OcdbtError =>
    new OcdbtError("corrupt", `${url}${LEASE_KEY}: ${reason}; delete it when no coordinator runs`);
  if (bytes.length > MAX_LEASE_BYTES) throw fail(`${bytes.length} bytes are more than ${MAX_LEASE_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw fail("it is not JSON");
  }
  if (typeof value !== "object" || value === null) throw fail("expected a JSON object");
  const { epoch, holder, address, durationMs, renewal } = value as Record<string, unknown>;
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const isText = (t: unknown): t is string | null => t === null || (typeof t === "string" && t.length <= 4096);
  if (!isCount(epoch) || !isCount(durationMs) || !isCount(renewal)) throw fail("a number is missing or malformed");
  if (!isText(holder) || !isText(address)) throw fail("holder or address is malformed");
  return { epoch, holder, address, durationMs, renewal };
}
