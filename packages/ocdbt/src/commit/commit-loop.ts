/**
 * How a change becomes the newest manifest: plan it on the manifest there is, make everything it refers to durable, replace
 * the manifest if it is still that one, or else begin again on the new one. One change at a time per database handle.
 *
 * Whoever has lost a race holds the manifest, where the store lets it, from before it reads it until it has replaced it, so that it
 * loses no other: values are uploaded before, and what others wait for is the work on the nodes on the way to the changes.
 *
 * Files that a change wrote in vain are removed when it is settled; a process that dies before leaves them to `sweep`.
 * @module
 */
import type { KeyHold, KvStore } from "@pcg/kvstore";
import type { CommitEvent } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import { pathToBytes } from "../format/index.ts";
import type { Manifest } from "../format/types.ts";
import { MAX_AGE_MS } from "../io/grace.ts";
import { backOff } from "../io/pause.ts";
import { putIf } from "../io/put-if.ts";
import type { DataFileWriter, ManifestStore, StagedManifest, StoredManifest } from "../parts.ts";
import { isFileGone } from "../view/lost-version.ts";
import { sweptFiles } from "./swept-files.ts";

export interface CommitLoopContext {
  readonly store: KvStore;
  readonly manifests: ManifestStore;
  readonly newWriter: () => DataFileWriter;
  readonly emit: (event: CommitEvent) => void;
  /** ns since the epoch. */
  readonly now: () => bigint;
  /** How far, ns, the newest commit may be ahead of the clock; further ahead, nothing is written. */
  readonly maxClockSkew: bigint | undefined;
}

/** One try. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  readonly current: StoredManifest | undefined;
  /** For this attempt alone. */
  readonly writer: DataFileWriter;
  /** For values, which later attempts can refer to as well; it may be the same. */
  readonly values: DataFileWriter;
  /** Whether what earlier attempts wrote must be written again: nothing refers to it, and a sweep may have come by. */
  readonly afresh: boolean;
}

export interface Plan {
  readonly next: Manifest;
  /** Of the files that this and earlier attempts wrote, those the plan refers to. Its own alone, unless it can tell. */
  readonly filesInUse?: (own: ReadonlySet<string>) => Promise<ReadonlySet<string>>;
  /** A small file beside the database that belongs to the version of the plan, and to no other: durable before the manifest. */
  readonly beside?: { readonly key: string; readonly bytes: Uint8Array } | undefined;
  /** Files that the plan refers to and that were written for it, but by none of the attempts' writers. */
  readonly apart?: readonly string[] | undefined;
  /** Told that what the attempt wrote is durable. */
  readonly flushed?: () => void;
}

export interface RunOptions {
  /** How old the manifest of the first attempt may be. */
  readonly maxStalenessMs: number;
  /** Appends values that the plan will refer to, whatever the manifest says; before others are kept waiting. */
  readonly placeAhead?: (values: DataFileWriter) => void;
  /** Looked at until the manifest is being replaced; from then on the outcome is waited for. */
  readonly signal?: AbortSignal;
}

/** How long others are kept waiting at most. A commit that takes longer goes on without its hold. */
const MAX_HOLD_MS = 2000;

/** How often all is written again because sweeps saw it before the manifest could be replaced. */
const MAX_SWEPT = 3;

/** What a change came to: its plan, unless there was nothing to do, and the manifest that was found or made. */
export interface Settled<P extends Plan> {
  readonly plan: P | undefined;
  readonly stored: StoredManifest | undefined;
}

/** What the attempts of one change share. */
interface Run {
  /** Files of earlier attempts, which the next one may have no use for. */
  earlier: string[];
  /** Files to which no attempt will refer any more. */
  readonly stale: string[];
  values: DataFileWriter | undefined;
  hasLostFile: boolean;
  /** What plans refer to was written, or seen to be safe, after this, `performance.now()` ms. */
  since: number;
  /** Of the last plan. */
  apart: readonly string[];
  /** How often a sweep has seen what was about to be referred to. */
  swept: number;
}

export class CommitLoop {
  readonly #context: CommitLoopContext;
  #turn: Promise<void> = Promise.resolve();
  /** Whether somebody else wrote lately, so that looking first is cheaper than failing. */
  #contended = false;
  /** Of the manifest that the last change made. */
  #ownToken: string | undefined;
  readonly #clearing = new Set<Promise<unknown>>();

  constructor(context: CommitLoopContext) {
    this.#context = context;
  }

  /** Waits for the changes before it. */
  async run<P extends Plan>(
    makePlan: (attempt: Attempt) => Promise<P | undefined>,
    options: RunOptions,
  ): Promise<Settled<P>> {
    const before = this.#turn;
    let end!: () => void;
    this.#turn = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    try {
      return await this.#settle(makePlan, options);
    } finally {
      end();
    }
  }

  /** Resolves when everything asked for until now is settled and cleared up. */
  async idle(): Promise<void> {
    await this.#turn;
    await Promise.all(this.#clearing);
  }

  /** Goes on beside the changes that follow. */
  #clear(work: Promise<unknown>): void {
    const clearing: Promise<unknown> = work.finally(() => this.#clearing.delete(clearing));
    this.#clearing.add(clearing);
  }

  async #settle<P extends Plan>(
    makePlan: (attempt: Attempt) => Promise<P | undefined>,
    options: RunOptions,
  ): Promise<Settled<P>> {
    const { signal } = options;
    const since = performance.now();
    const run: Run = { earlier: [], stale: [], values: undefined, hasLostFile: false, since, apart: [], swept: 0 };
    for (let number = 1; ; number++) {
      const begun = performance.now();
      const isFirstLoss = !this.#contended && number === 1;
      const settled = await this.#attempt(number, run, makePlan, options);
      if (settled === "again") continue;
      if (settled !== "lost") return settled;
      this.#contended = true;
      // The next attempt waits for its turn.
      if (isFirstLoss && this.#context.store.hold !== undefined) continue;
      try {
        await backOff(number, signal, Math.max(2, performance.now() - begun));
      } catch (error) {
        this.#clear(this.#remove([...run.stale, ...run.earlier, ...(run.values?.begun ?? [])]));
        throw error;
      }
    }
  }

  /** @returns `lost` when another change came first, `again` when that, or a sweep, was seen before the manifest was to be replaced. */
  async #attempt<P extends Plan>(
    number: number,
    run: Run,
    makePlan: (attempt: Attempt) => Promise<P | undefined>,
    options: RunOptions,
  ): Promise<Settled<P> | "lost" | "again"> {
    const { manifests, newWriter, emit } = this.#context;
    const { signal } = options;
    const aside = signal === undefined ? {} : { signal };
    // Among other writers it is likely that nodes are made in vain, so values have a file of their own.
    const isContended = this.#contended || number > 1;
    const writer = newWriter();
    if (isContended) run.values ??= newWriter();
    let { values } = run;
    let hold: KeyHold | undefined;
    let holdEnd: ReturnType<typeof setTimeout> | undefined;
    let current: StoredManifest | undefined;
    let plan: P | undefined;
    let staged: StagedManifest | undefined;
    let clockBehind: bigint;
    const toReferTo = (): string[] => [...run.earlier, ...writer.begun, ...(values?.begun ?? [])];
    const beside = (): string[] => (plan?.beside === undefined ? [] : [plan.beside.key]);
    const own = (): string[] => [...run.stale, ...toReferTo(), ...beside()];
    const report = (kind: CommitEvent["kind"], orphansRemoved: number): void => {
      const { generation } = plan!.next.versions.at(-1)!;
      emit({ kind, generation, attempt: number, orphansRemoved, clockBehind });
    };
    const leave = (): void => {
      run.earlier.push(...writer.begun, ...beside());
      run.apart = plan?.apart ?? [];
    };
    try {
      try {
        if (values !== undefined) {
          options.placeAhead?.(values);
          await values.flush(aside);
          hold = await manifests.hold(aside);
          const endHold = (): void => {
            hold?.release();
            hold = undefined;
          };
          if (hold !== undefined) holdEnd = setTimeout(endHold, MAX_HOLD_MS);
        }
        const maxStalenessMs = isContended ? 0 : options.maxStalenessMs;
        current = await manifests.read({ maxStalenessMs, ...aside });
        const afresh = !(await this.#isSafe(run, [...toReferTo(), ...run.apart], current?.manifest, aside));
        if (afresh) {
          run.stale.push(...toReferTo());
          run.earlier = [];
          if (values !== undefined) run.values = values = newWriter();
          run.since = performance.now();
        }
        plan = await makePlan({ number, current, writer, values: values ?? writer, afresh });
        clockBehind = this.#clockBehind(current, plan);
        // Values are of use whatever others write meanwhile; the plan should be a new one when its own files are written.
        if (plan !== undefined && isContended) await values?.flush(aside);
        if (plan !== undefined && isContended && hold === undefined && (await this.#isOutdated(current, aside))) {
          // Nothing of this attempt has been written, so there is nothing to wait for either.
          report("conflict", 0);
          leave();
          return "again";
        }
        if (plan !== undefined) {
          const staging = manifests.stage(plan.next, aside).then((value) => {
            staged = value;
          });
          await allDone([writer.flush(aside), values?.flush(aside), this.#keepBeside(plan, signal), staging]);
        }
        signal?.throwIfAborted();
        if (plan !== undefined) {
          // Whoever keeps the manifest may do so for long: what is referred to must be safe when nobody does any more.
          clearTimeout(holdEnd);
          hold ??= await manifests.hold({ next: plan.next, ...aside });
          const files = [...toReferTo(), ...(plan.apart ?? [])];
          if (!(await this.#isSafe(run, files, plan.next, aside))) {
            if (++run.swept === MAX_SWEPT) throw sweptAgain(this.#context.store.url);
            report("conflict", 0);
            leave();
            return "again";
          }
        }
      } catch (error) {
        // What the manifest led to has expired and is gone: there is a newer one. Only once, since it may as well be damage.
        const isPast =
          !run.hasLostFile && isFileGone(error) && (await this.#isOutdated(current, aside).catch(() => false));
        if (isPast) {
          run.hasLostFile = true;
          leave();
          return "again";
        }
        this.#clear(this.#remove(own()));
        throw error;
      }
      if (plan === undefined) {
        this.#clear(this.#remove(own()));
        return { plan, stored: current };
      }
      plan.flushed?.();
      // An error from here on leaves the files: the manifest may refer to them.
      const stored = await manifests.replace(current, plan.next, { hold, staged });
      if (stored === undefined) {
        report("conflict", 0);
        leave();
        return "lost";
      }
      // Holding it costs little, so it is held as long as others come in between.
      this.#contended = number > 1 || (isContended && current?.token !== this.#ownToken);
      this.#ownToken = stored.token;
      const kind = stored.recovered ? "recovered" : "committed";
      // An earlier attempt may have named its file beside as this one does.
      const suspects = [...run.stale, ...run.earlier, ...(values?.begun ?? [])].filter(
        (file) => !beside().includes(file),
      );
      this.#clear(this.#removeUnused(suspects, own(), plan).then((removed) => report(kind, removed)));
      return { plan, stored };
    } finally {
      clearTimeout(holdEnd);
      hold?.release();
      staged?.value.discard();
    }
  }

  /** Whether no sweep has seen files that were written for the change; asked when they are old. */
  async #isSafe(
    run: Run,
    files: readonly string[],
    manifest: Manifest | undefined,
    aside: { readonly signal?: AbortSignal },
  ): Promise<boolean> {
    const asked = performance.now();
    if (asked - run.since <= MAX_AGE_MS) return true;
    // Sweeps remove nothing where there is no manifest.
    const { store } = this.#context;
    const uuid = manifest?.config.uuid;
    const swept = uuid === undefined ? undefined : await sweptFiles(files, { store, uuid, ...aside });
    if (swept !== undefined && swept.size > 0) return false;
    run.since = asked;
    return true;
  }

  async #keepBeside({ beside }: Plan, signal: AbortSignal | undefined): Promise<void> {
    if (beside === undefined) return;
    const outcome = await putIf(this.#context.store, beside.key, beside.bytes, null, signal && { signal });
    // Nothing refers to it yet, so nothing is in doubt.
    if (outcome.kind === "unknown") throw outcome.error;
  }

  async #isOutdated(current: StoredManifest | undefined, aside: { readonly signal?: AbortSignal }): Promise<boolean> {
    return (await this.#context.manifests.read(aside))?.token !== current?.token;
  }

  /** ns that the clock is behind the newest version, when the plan adds one. @throws `OcdbtError` `unsafe` */
  #clockBehind(current: StoredManifest | undefined, plan: Plan | undefined): bigint {
    const newest = current?.manifest.versions.at(-1);
    if (newest === undefined || plan === undefined) return 0n;
    if (plan.next.versions.at(-1)!.generation === newest.generation) return 0n;
    const behind = newest.commitTime - this.#context.now();
    if (behind <= 0n) return 0n;
    const { maxClockSkew, store } = this.#context;
    if (maxClockSkew === undefined || behind <= maxClockSkew) return behind;
    const [seconds, limit] = [behind, maxClockSkew].map((ns) => (Number(ns) / 1e9).toFixed(3));
    throw new OcdbtError(
      "unsafe",
      `the newest version of ${store.url} lies ${seconds} s ahead of this machine's clock, over the limit of ${limit} s: a ` +
        "new version would get a time that is not true; set the clocks right, or wait",
      { fields: { behind, maxClockSkew } },
    );
  }

  async #removeUnused(suspects: readonly string[], own: readonly string[], plan: Plan): Promise<number> {
    if (suspects.length === 0) return 0;
    try {
      const used = (await plan.filesInUse?.(new Set(own))) ?? new Set<string>();
      return await this.#remove(suspects.filter((file) => !used.has(file)));
    } catch {
      // The commit is made. What cannot be cleared up now is left to `sweep`.
      return 0;
    }
  }

  /** @returns how many files are gone. Those that cannot be removed are left to `sweep`. */
  async #remove(files: readonly string[]): Promise<number> {
    const { store } = this.#context;
    const results = await Promise.allSettled(files.map((file) => store.write(pathToBytes(file), null)));
    return results.filter(({ status }) => status === "fulfilled").length;
  }
}

function sweptAgain(url: string): OcdbtError {
  const message =
    `${MAX_SWEPT} times a sweep of ${url} saw the files of a commit before it could refer to them: nothing was written; sweep more ` +
    "seldom than the commit takes, or commit less at once";
  return new OcdbtError("conflict", message, { fields: { url } });
}

/** Rejects as the first that did, when none is under way any more. */
async function allDone(works: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const end of await Promise.allSettled(works)) if (end.status === "rejected") throw end.reason;
}
