import type { KvStore } from "@pcg/kvstore";
import { expect } from "vitest";
import { decodeCommitRecord } from "../../src/coordinator/commit-record.ts";
import { recordKey } from "../../src/coordinator/done-before.ts";
import { requestName } from "../../src/coordinator/request-id.ts";
import { type CommitReceipt, fsck, type Mutation, type OcdbtDatabase, openOcdbt } from "../../src/index.ts";
import { bytesOf, type Contents, contentsOf } from "../support/model.ts";

/** A commit as its client saw it. */
export interface Done {
  readonly client: number;
  /** Grows with the order in which the client asked. */
  readonly number: number;
  readonly key: string;
  readonly token: string;
  /** Ticks of one clock for all. */
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly receipt: CommitReceipt;
}

/** Asks, and keeps what came of it. */
export class History {
  readonly done: Done[] = [];
  #clock = 0;
  #numbers = new Map<number, number>();

  /** One commit: a key that nobody else writes, and one that many write, together. */
  async write(db: OcdbtDatabase, client: number, key: string): Promise<void> {
    const number = this.#numbers.get(client) ?? 0;
    this.#numbers.set(client, number + 1);
    const token = `${client}.${number}${number % 2 === 0 ? " and more than a node takes" : ""}`;
    // Done twice, a conditional commit finds its own key; an unconditional one undoes what came between.
    const once = number % 3 === 0 ? { ifGeneration: null } : {};
    const mutations: Mutation[] = [
      { op: "deleteRange", start: bytesOf(`last/${client}/`), end: bytesOf(`last/${client}0`) },
      { op: "put", key: bytesOf(`last/${client}/${number}`), value: bytesOf("x") },
      { op: "put", key: bytesOf(`log/${client}/${number}`), value: bytesOf("x"), ...once },
      { op: "put", key: bytesOf(key), value: bytesOf(token) },
    ];
    const askedAt = this.#clock++;
    const receipt = await db.apply(mutations);
    this.done.push({ client, number, key, token, askedAt, answeredAt: this.#clock++, receipt });
  }
}

/** Every acknowledged commit is in exactly the version it was told, once, in an order that agrees with every clock and client. */
export async function checkHistory(store: KvStore, done: readonly Done[]): Promise<void> {
  const db = await openOcdbt(store, { create: false });
  const newest = (await db.head())!.generation;
  const versions: Contents[] = [new Map()];
  for (let generation = 1n; generation <= newest; generation++) {
    versions.push(await contentsOf(await db.at({ generation })));
  }
  for (const { client, number, receipt } of done) {
    expect(receipt.applied, `${client}.${number}`).toEqual([true, true, true, true]);
    const generation = Number(receipt.head!.generation);
    expect(versions[generation]!.has(`log/${client}/${number}`)).toBe(true);
    expect(versions[generation - 1]!.has(`log/${client}/${number}`)).toBe(false);
  }
  expectOrder(done);
  for (let generation = 1; generation < versions.length; generation++) {
    expectValues(
      versions[generation - 1]!,
      versions[generation]!,
      done.filter(({ receipt }) => Number(receipt.head!.generation) === generation),
    );
  }
  await expectNothingTwice(store, db, newest);
  const { findings } = await fsck(db);
  expect(findings.filter(({ code }) => code !== "orphan-file" && code !== "unused-bytes")).toEqual([]);
}

function expectOrder(done: readonly Done[]): void {
  const generationOf = ({ receipt }: Done): bigint => receipt.head!.generation;
  for (const a of done) {
    for (const b of done) {
      if (a.answeredAt < b.askedAt) expect(generationOf(a)).toBeLessThan(generationOf(b));
      if (a.client === b.client && a.number < b.number) expect(generationOf(a)).toBeLessThanOrEqual(generationOf(b));
    }
  }
}

/** What was written in a version is what its commits wrote, the last of each client. */
function expectValues(before: Contents, after: Contents, here: readonly Done[]): void {
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    if (!key.startsWith("k/")) continue;
    const candidates = here.filter((entry) => entry.key === key);
    if (candidates.length === 0) {
      expect(after.get(key)).toBe(before.get(key));
      continue;
    }
    const winner = candidates.find(({ token }) => token === after.get(key));
    expect(winner, `${key} is ${after.get(key)}`).toBeDefined();
    const later = candidates.filter(({ client, number }) => client === winner!.client && number > winner!.number);
    expect(later).toEqual([]);
  }
  for (const client of new Set(here.map((entry) => entry.client))) {
    const last = [...after.keys()].filter((key) => key.startsWith(`last/${client}/`));
    const number = Math.max(...here.filter((entry) => entry.client === client).map((entry) => entry.number));
    expect(last).toEqual([`last/${client}/${number}`]);
  }
}

async function expectNothingTwice(store: KvStore, db: OcdbtDatabase, newest: bigint): Promise<void> {
  const seen = new Map<string, bigint>();
  for (let generation = 1n; generation <= newest; generation++) {
    const version = (await (await db.at({ generation })).version())!;
    const { location } = version.root;
    const behind =
      location && (await store.read(location.file.relativePath))?.value.subarray(location.offset + location.length);
    const record =
      (behind && decodeCommitRecord(behind)) ??
      decodeCommitRecord((await store.read(recordKey(version)))?.value ?? new Uint8Array(0));
    for (const { id } of record ?? []) {
      expect(seen.get(requestName(id)), `${requestName(id)} in ${generation}`).toBeUndefined();
      seen.set(requestName(id), generation);
    }
  }
}
