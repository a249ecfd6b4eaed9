/** Random histories of several databases against a `Map` per version; every version is read again at the end. */
import { type KvStore, memoryKvStore } from "@pcg/kvstore";
import { Random } from "@pcg/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { OcdbtDatabase } from "../../src/contract.ts";
import { fork } from "../../src/fork/create.ts";
import { merge, updateFork } from "../../src/fork/merge.ts";
import { openFork } from "../../src/fork/open.ts";
import { diff, diffBetween } from "../../src/history/diff.ts";
import { keyHistory } from "../../src/history/key-history.ts";
import { restore, restoreKeys } from "../../src/history/restore.ts";
import { createTag } from "../../src/history/tags.ts";
import { versions } from "../../src/history/versions.ts";
import { bytes, collect, contents, text, tiny, tinyDatabase } from "../history/world.ts";

type State = Readonly<Record<string, string>>;

/** One database and what it should hold. */
interface Line {
  readonly id: string | undefined;
  readonly db: OcdbtDatabase;
  readonly base: Line | undefined;
  readonly states: Map<bigint, State>;
  readonly tags: Map<string, bigint>;
  /** What fork and base last agreed on. */
  agreed: State;
}

class World {
  readonly store: KvStore = memoryKvStore();
  readonly lines: Line[] = [];
  readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  async begin(): Promise<void> {
    const config = {
      ...tiny,
      maxDecodedNodeBytes: this.random.pick([1, 150, 400]),
      versionTreeArityLog2: this.random.pick([1, 2]),
    };
    const db = await tinyDatabase(this.store, { config });
    const first = (await db.apply([{ op: "put", key: bytes("0"), value: bytes("v") }])).head!.generation;
    const states = new Map([[first, { 0: "v" } as State]]);
    this.lines.push({ id: undefined, db, base: undefined, states, tags: new Map(), agreed: {} });
  }

  async step(): Promise<void> {
    const { random } = this;
    const line = random.pick(this.lines);
    const forks = this.lines.filter(({ id }) => id !== undefined);
    switch (random.below(10)) {
      case 0:
        return await this.restoreAll(line);
      case 1:
        return await this.restoreSome(line);
      case 2:
        return await this.tag(line);
      case 3:
        return this.lines.length < 5 ? await this.fork(line) : await this.edit(line);
      case 4:
      case 5:
        return forks.length === 0 ? await this.edit(line) : await this.merge(random.pick(forks), random.below(2) === 0);
      case 6:
        return await this.compare();
      default:
        return await this.edit(line);
    }
  }

  async edit(line: Line): Promise<void> {
    const { random } = this;
    const next: Record<string, string> = { ...newest(line) };
    const count = random.pick([1, 1, 3, 30]);
    const mutations = Array.from({ length: count }, () => {
      const key = this.key();
      if (random.below(4) > 0) {
        next[key] = random.pick(["", "v", "a longer value "]) + random.below(3);
        return { op: "put" as const, key: bytes(key), value: bytes(next[key]) };
      }
      if (random.below(3) > 0) {
        delete next[key];
        return { op: "delete" as const, key: bytes(key) };
      }
      const end = `${key}~`;
      for (const other of Object.keys(next)) if (other >= key && other < end) delete next[other];
      return { op: "deleteRange" as const, start: bytes(key), end: bytes(end) };
    });
    const { head } = await line.db.apply(mutations);
    if (head !== undefined) line.states.set(head.generation, next);
    else expect(next).toEqual(newest(line));
  }

  async restoreAll(line: Line): Promise<void> {
    const [generation, state] = this.version(line);
    const { head, written } = await restore(line.db, { generation });
    if (written) line.states.set(head!.generation, state);
    else expect(newest(line)).toEqual(state);
  }

  async restoreSome(line: Line): Promise<void> {
    const [generation, old] = this.version(line);
    const prefix = this.random.pick(["", "x/", "x/y", "1"]);
    const now = newest(line);
    const next = Object.fromEntries([
      ...Object.entries(now).filter(([key]) => !key.startsWith(prefix)),
      ...Object.entries(old).filter(([key]) => key.startsWith(prefix)),
    ]);
    const { head, written } = await restoreKeys(line.db, { generation }, { prefix });
    if (written) line.states.set(head!.generation, next);
    else expect(next).toEqual(now);
  }

  async tag(line: Line): Promise<void> {
    const [generation] = this.version(line);
    const name = `t${this.random.below(4)}`;
    await createTag(line.db, name, { generation }, { force: true });
    line.tags.set(name, generation);
  }

  async fork(line: Line): Promise<void> {
    const [generation, state] = this.version(line);
    const id = `f${this.lines.length}`;
    const folder = this.random.below(2) === 0 ? {} : { folder: memoryKvStore() };
    await fork(line.db, id, { version: { generation }, ...folder });
    const db = await openFork(line.db.parts.store, id, folder);
    const states = new Map([...line.states].filter(([known]) => known <= generation));
    this.folders.set(id, folder);
    this.lines.push({ id, db, base: line, states, tags: new Map(), agreed: state });
  }

  readonly folders = new Map<string, { folder?: KvStore }>();

  /** Upwards into the base, or down into the fork. */
  async merge(line: Line, up: boolean): Promise<void> {
    const base = line.base!;
    const [target, source] = up ? [base, line] : [line, base];
    const [ours, theirs] = [newest(target), newest(source)];
    const ancestor = line.agreed;
    const onConflict = this.random.pick(["fail", "ours", "theirs"] as const);
    const next: Record<string, string> = { ...ours };
    const conflicts: string[] = [];
    for (const key of [...new Set([...Object.keys(theirs), ...Object.keys(ancestor)])].sort()) {
      if (theirs[key] === ancestor[key]) continue;
      const clash = ours[key] !== ancestor[key] && ours[key] !== theirs[key];
      if (clash) conflicts.push(key);
      if (clash && onConflict !== "theirs") continue;
      if (theirs[key] === undefined) delete next[key];
      else next[key] = theirs[key];
    }
    const options = { onConflict, ...this.folders.get(line.id!) };
    const before = await target.db.head();
    const result = await (up ? merge : updateFork)(base.db, line.id!, options);
    expect(result.conflicts.map(({ key }) => text(key))).toEqual(conflicts);
    expect(result.merged).toBe(conflicts.length === 0 || onConflict !== "fail");
    if (result.head!.generation === before!.generation) expect(result.merged ? next : ours).toEqual(ours);
    else target.states.set(result.head!.generation, next);
    if (result.merged) line.agreed = theirs;
  }

  async compare(): Promise<void> {
    const { random } = this;
    const one = random.pick(this.lines);
    const two = random.pick(this.lines);
    const [[a, before], [b, after]] = [this.version(one), this.version(two)];
    const changes = diffBetween(
      { db: one.db, version: { generation: a } },
      { db: two.db, version: { generation: b } },
      { compareBytes: true },
    );
    const told = (await collect(changes)).map(({ key, kind }) => `${kind} ${text(key)}`);
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    const expected = keys.flatMap((key) => {
      if (before[key] === after[key]) return [];
      return `${before[key] === undefined ? "added" : after[key] === undefined ? "removed" : "changed"} ${key}`;
    });
    expect(told).toEqual(expected);
  }

  /** Everything that was ever true still is. */
  async check(): Promise<void> {
    for (const line of this.lines) {
      const generations = [...line.states.keys()].sort((a, b) => (a > b ? -1 : 1));
      expect((await collect(versions(line.db))).map(({ generation }) => generation)).toEqual(generations);
      for (const generation of generations) {
        expect(await contents(line.db, { generation })).toEqual(line.states.get(generation));
      }
      expect(await contents(line.db)).toEqual(newest(line));
      for (const [name, generation] of line.tags)
        expect(await contents(line.db, { tag: name })).toEqual(line.states.get(generation));
      const key = this.key();
      const values = (await collect(keyHistory(line.db, key))).map(
        ({ version }) => line.states.get(version.generation)![key],
      );
      for (let i = 1; i < values.length; i++) expect([values[i - 1], values[i]]).not.toEqual([undefined, undefined]);
      expect(values[0]).toBe(values.length === 0 ? undefined : newest(line)[key]);
      expect(await collect(diff(line.db, { ancestor: 0 }))).toEqual([]);
    }
  }

  key(): string {
    return this.random.pick(["", "x/", "x/y/"]) + this.random.below(30);
  }

  version(line: Line): [bigint, State] {
    return this.random.pick([...line.states]);
  }
}

function newest(line: Line): State {
  return [...line.states.values()].at(-1)!;
}

async function live(seed: number, steps: number): Promise<void> {
  const world = new World(seed);
  await world.begin();
  for (let i = 0; i < steps; i++) await world.step();
  await world.check();
}

test("random histories of forks, merges, restores and tags are what a Map per version says", {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 - 1 }), async (seed) => await live(seed, 25)),
    { numRuns: 12 },
  );
});
