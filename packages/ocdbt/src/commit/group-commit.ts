/**
 * The committer that replaces the manifest itself. While one commit runs, what is asked for queues, and becomes one version
 * together.
 * @module
 */
import type { CommitOptions, CommitReceipt, Committer, Head, Mutation } from "../contract.ts";
import { OcdbtError } from "../errors.ts";
import type { Config, Manifest, VersionEntry } from "../format/types.ts";
import { checkMessage, messageFile } from "../history/messages.ts";
import type { DatabaseParts, DataFileWriter, NodeReader } from "../parts.ts";
import { generationOf } from "../view/generation.ts";
import { type Admission, admit, appendRecord, recordOf, type Settlement, writeRecordBeside } from "./admission.ts";
import { appendVersion } from "./append-version.ts";
import type { Attempt, CommitLoop, Plan } from "./commit-loop.ts";
import { type Evaluation, evaluate, type Verdict } from "./evaluate.ts";
import { GroupCancellation } from "./group-cancellation.ts";
import { handedInFiles, keepHandedIn } from "./handed-in.ts";
import { ownFilesInUse } from "./own-files.ts";
import { type CommitRequest, dependsOnState, isCertain, PointMutation, stage } from "./requests.ts";
import { EMPTY_TREE, writeTree } from "./tree-writer.ts";
import { WrittenSubtrees } from "./written-subtrees.ts";

export interface GroupCommitContext {
  readonly store: DatabaseParts["store"];
  readonly nodes: NodeReader;
  readonly loop: CommitLoop;
  /** Of the database that the first commit makes. */
  readonly initialConfig: () => Config;
  /** Throws `OcdbtError` `config-mismatch` when the stored configuration is not the one that was asked for. */
  readonly checkConfig: (stored: Config) => void;
  /** ns since the epoch. */
  readonly now: () => bigint;
}

/**
 * How old, ms, the manifest may be that unconditional writes are planned on. When another writer was faster, replacing it fails
 * and the commit is planned again; a lone writer saves a request.
 */
const TRUSTED_MS = 2000;

interface GroupPlan extends Plan {
  readonly version: VersionEntry;
}

export function createGroupCommitter(context: GroupCommitContext): Committer {
  return new GroupCommitter(context);
}

class GroupCommitter implements Committer {
  readonly #context: GroupCommitContext;
  #queue: CommitRequest[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(context: GroupCommitContext) {
    this.#context = context;
  }

  async commit(mutations: readonly Mutation[], options: CommitOptions): Promise<CommitReceipt> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw new OcdbtError("closed", `${this.#context.store.url} was closed`);
    checkMessage(options);
    const staged = mutations.map(stage);
    return await new Promise<CommitReceipt>((resolve, reject) => {
      this.#queue.push({ mutations: staged, options, askedAt: performance.now(), resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#context.loop.idle();
  }

  async #drain(): Promise<void> {
    // What is asked for in the same turn of the event loop comes along.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#commit(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }

  /** Everything that waits, but that a version has one message at most. */
  #takeGroup(): CommitRequest[] {
    let hasMessage = false;
    let end = 0;
    for (; end < this.#queue.length; end++) {
      const { message, author } = this.#queue[end]!.options;
      if (message === undefined && author === undefined) continue;
      if (hasMessage) break;
      hasMessage = true;
    }
    return this.#queue.splice(0, end);
  }

  async #commit(group: readonly CommitRequest[]): Promise<void> {
    const { store, loop, nodes, initialConfig, checkConfig, now } = this.#context;
    const written = new WrittenSubtrees();
    const cancel = new GroupCancellation(group);
    const { signal } = cancel;
    let evaluation: Evaluation | undefined;
    let admission: Admission | undefined;
    /** Requests whose values are gone. */
    const lost = new Map<CommitRequest, OcdbtError>();
    const placeAhead = (values: DataFileWriter): void => {
      const { maxInlineValueBytes } = initialConfig();
      for (const { mutations, options } of group.filter(isCertain)) {
        if (options.signal?.aborted) continue;
        for (const point of mutations) if (point.kind === "point") point.place(values, maxInlineValueBytes);
      }
    };
    const makePlan = async ({ number, current, writer, values, afresh }: Attempt): Promise<GroupPlan | undefined> => {
      written.begin(afresh);
      if (current !== undefined) checkConfig(current.manifest.config);
      const manifest: Manifest = current?.manifest ?? { config: initialConfig(), versions: [], versionNodes: [] };
      const { config } = manifest;
      const present = group.filter((request) => !request.options.signal?.aborted && !lost.has(request));
      admission = await admit(present, current?.manifest, { store, nodes, signal });
      if (number === 1 || afresh) {
        const handed = { store, nodes, uuid: config.uuid, values, signal };
        for (const [request, error] of await keepHandedIn(admission.admitted, handed)) lost.set(request, error);
      }
      const admitted = admission.admitted.filter((request) => !lost.has(request));
      evaluation = await evaluate(admitted, current?.manifest, nodes, { signal });
      // Whoever had such a request before may be about to commit it: only a newer version puts an end to that, and makes
      // "not applied" true for good.
      const isBarrier = admitted.some(({ options }) => options.request?.sentBefore);
      if (evaluation.changes.isEmpty && !isBarrier) return undefined;
      const before = manifest.versions.at(-1)?.root ?? EMPTY_TREE;
      const changes = evaluation.changes.net();
      for (const point of changes.points) (point as PointMutation).place(values, config.maxInlineValueBytes, afresh);
      const root = await writeTree(before, changes, { nodes, writer, config, written, signal });
      const isSame = root === before || (root.location === undefined && before.location === undefined);
      if (isSame && !isBarrier) return undefined;
      const record = recordOf(evaluation.verdicts);
      const recorded = record === undefined || (!isSame && appendRecord(record, root, writer));
      const appended = await appendVersion(manifest, root, { nodes, writer, now: now(), signal });
      if (!recorded) await writeRecordBeside(record, appended.version, { store, nodes, signal });
      return {
        next: appended.manifest,
        version: appended.version,
        beside: this.#message(config.uuid, appended.version, evaluation.verdicts),
        apart: handedInFiles(admitted),
        filesInUse: (own) => ownFilesInUse(root, own, nodes),
        flushed: () => written.settle(),
      };
    };
    try {
      const { plan, stored } = await loop.run(makePlan, { maxStalenessMs: this.#staleness(group), placeAhead, signal });
      const version = plan?.version ?? stored?.manifest.versions.at(-1);
      const head = version && { generation: version.generation, commitTime: version.commitTime };
      for (const request of group) {
        const error = lost.get(request);
        const settlement = error === undefined ? admission!.settled.get(request) : { error };
        const verdict = evaluation!.verdicts.get(request);
        if (settlement !== undefined) settle(request, settlement);
        else if (verdict === undefined) request.reject(request.options.signal!.reason);
        else answer(request, verdict, head);
      }
    } finally {
      cancel.end();
    }
  }

  #staleness(group: readonly CommitRequest[]): number {
    return group.some(dependsOnState) ? 0 : TRUSTED_MS;
  }

  /** Of the one request of the group that has a message, if it has a part in the version. */
  #message(uuid: string, version: VersionEntry, verdicts: ReadonlyMap<CommitRequest, Verdict>): Plan["beside"] {
    for (const [{ options }, verdict] of verdicts) {
      const file = verdict.kind === "decided" && verdict.writes ? messageFile(uuid, version, options) : undefined;
      if (file !== undefined) return file;
    }
    return undefined;
  }
}

function answer({ resolve, reject }: CommitRequest, verdict: Verdict, head: Head | undefined): void {
  if (verdict.kind === "refused") reject(verdict.error);
  else resolve(new Receipt(verdict.writes ? head : undefined, verdict.applied, verdict.values));
}

function settle(request: CommitRequest, settlement: Settlement): void {
  if ("receipt" in settlement) request.resolve(settlement.receipt);
  else request.reject(settlement.error);
}

/** Generations are digests of values, which are only made when somebody looks. */
class Receipt implements CommitReceipt {
  readonly head: Head | undefined;
  readonly applied: readonly boolean[];
  readonly #values: Extract<Verdict, { kind: "decided" }>["values"];

  constructor(
    head: Head | undefined,
    applied: readonly boolean[],
    values: Extract<Verdict, { kind: "decided" }>["values"],
  ) {
    this.head = head;
    this.applied = applied;
    this.#values = values;
  }

  get generations(): readonly (string | null)[] {
    return this.#values.map((entry) => {
      const value = entry instanceof PointMutation ? entry.value : entry;
      return value === null ? null : generationOf(value);
    });
  }
}
