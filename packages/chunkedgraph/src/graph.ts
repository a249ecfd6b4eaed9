/**
 * The graph as its users hold it: settings, views, edits, history.
 * @module
 */
import type { RowStore } from "@pcg/rowstore";
import type { Xyz } from "@pcg/volume";
import type {
  EditResult,
  Graph,
  GraphHistory,
  GraphSettings,
  GraphView,
  MergeRequest,
  Operation,
  Pick,
  ReadOptions,
  Time,
} from "./contract.ts";
import { type CommitEnvironment, commitPlan, recordRefusal } from "./edit/commit.ts";
import { planMerge } from "./edit/merge.ts";
import { RecentRefusals } from "./edit/refusals.ts";
import { checkMergeRequest, checkPicks } from "./edit/request.ts";
import { resolvePicks } from "./edit/resolve.ts";
import { GraphError, isGraphError } from "./errors.ts";
import { Feed, type Logger } from "./history/feed.ts";
import { createHistory } from "./history/graph-history.ts";
import { readIngestedSettings } from "./ingested.ts";
import { gridOf } from "./settings.ts";
import { type Clock, earlier } from "./time.ts";
import { EdgeReader } from "./view/chunk-edges.ts";
import type { ViewContext } from "./view/context.ts";
import { createView } from "./view/graph-view.ts";
import { PlaceCache } from "./view/place-cache.ts";
import { Renewal } from "./view/renewal.ts";
import { type VoxelSource, Voxels } from "./voxels.ts";

export interface OpenGraphOptions {
  /** Holds the graph. It stays the caller's: closing the graph does not close it. */
  readonly rows: RowStore;
  /** The supervoxel volume; without it positions cannot be looked up. */
  readonly voxels?: VoxelSource;
  /** Microseconds since the epoch; default: the row store's clock. */
  readonly clock?: Clock;
  /** Told of problems that no caller waits for. */
  readonly logger?: Logger;
  /** Most memory for what is remembered of the rows; default 256 MiB. */
  readonly cacheBytes?: number;
}

const DEFAULT_CACHE_BYTES = 256 * 2 ** 20;
/** Plans made for one merge before giving up, when its objects change each time. */
const MAX_PLANS = 20;

/**
 * Opens a graph that has been ingested. Throws GraphError `not-ingested` when the store holds none or only part of one.
 *
 * Several processes may have the same graph open; each sees the others' edits in every view it takes afterwards.
 */
export async function openGraph(options: OpenGraphOptions): Promise<Graph> {
  return new OpenedGraph(options, await readIngestedSettings(options.rows));
}

class OpenedGraph implements Graph {
  readonly settings: GraphSettings;
  readonly history: GraphHistory;
  private readonly context: ViewContext;
  private readonly renewal: Renewal;
  private readonly voxels: Voxels;
  private readonly commits: CommitEnvironment;
  private readonly feed: Feed;
  private readonly logger: Logger | undefined;
  private readonly refusals = new RecentRefusals();
  /** Commits of this process, one after another: they would only get into each other's way. */
  private committing: Promise<unknown> = Promise.resolve();

  constructor(options: OpenGraphOptions, settings: GraphSettings) {
    const { rows, voxels, clock = () => rows.now(), logger, cacheBytes = DEFAULT_CACHE_BYTES } = options;
    const grid = gridOf(settings);
    const { layout } = grid;
    const places = new PlaceCache(cacheBytes * 0.6, settings.ingestTime);
    const edges = new EdgeReader(rows, layout, cacheBytes * 0.4);
    this.settings = settings;
    this.context = { rows, settings, layout, grid, places, edges };
    this.renewal = new Renewal(rows, places);
    this.voxels = new Voxels(grid, voxels);
    const beginning = { lastTime: settings.ingestTime, lastOperation: 0n };
    this.commits = { rows, layout, clock, beginning };
    this.feed = new Feed(rows, logger);
    this.logger = logger;
    const { layers, ingestTime } = settings;
    this.history = createHistory({ rows, layers, ingestTime, view: () => this.view() });
  }

  async settledTime(): Promise<Time> {
    return await this.renewal.catchUp();
  }

  async view(time?: Time): Promise<GraphView> {
    const settled = await this.settledTime();
    if (time !== undefined && time < 0n)
      throw new GraphError("invalid-argument", `time ${time} is before 1970`, { time: time.toString() });
    return createView(this.context, time === undefined ? settled : earlier(time, settled));
  }

  async resolve(picks: readonly Pick[], options: ReadOptions = {}): Promise<BigUint64Array> {
    checkPicks(picks);
    return await this.resolveIn(await this.view(), picks, options);
  }

  async supervoxelsAt(voxels: readonly Xyz[], options: ReadOptions = {}): Promise<BigUint64Array> {
    return await this.voxels.at(voxels, options.signal);
  }

  async merge(request: MergeRequest, options: ReadOptions = {}): Promise<EditResult> {
    checkMergeRequest(request);
    let supervoxels: BigUint64Array = new BigUint64Array();
    try {
      supervoxels = await this.resolveIn(await this.view(), request.picks, options);
      const ends = [supervoxels[0]!, supervoxels[1]!] as const;
      for (let plans = 0; plans < MAX_PLANS; plans++) {
        const time = await this.settledTime();
        const plan = await planMerge(this.context, request, ends, time, options.signal);
        const operation = await this.commit(plan, options.signal);
        if (operation !== undefined) return resultOf(operation);
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { user, picks } = request;
      if (!this.refusals.isRepeated(request, error))
        await this.record({ kind: "merge", user, picks, supervoxels }, error);
      throw error;
    }
    throw new GraphError("busy", `the objects changed under ${MAX_PLANS} plans in a row: try again`, { MAX_PLANS });
  }

  subscribe(listener: (operation: Operation) => void): () => void {
    return this.feed.subscribe(listener, this.context.places.time);
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.committing;
  }

  private async resolveIn(view: GraphView, picks: readonly Pick[], { signal }: ReadOptions): Promise<BigUint64Array> {
    return await resolvePicks(view, this.context.layout, this.voxels, this.settings.resolution, picks, signal);
  }

  /** A refusal stays one when it cannot be logged. */
  private async record(request: Parameters<typeof recordRefusal>[1], refusal: GraphError): Promise<void> {
    try {
      await recordRefusal(this.commits, request, refusal);
    } catch (error) {
      this.logger?.warn("a refused edit could not be logged", { error });
    }
  }

  /** `undefined`: an old root of the plan has been superseded. */
  private async commit(
    plan: Parameters<typeof commitPlan>[1],
    signal: AbortSignal | undefined,
  ): Promise<Operation | undefined> {
    const turn = this.committing.then(async () => {
      const commit = await commitPlan(this.commits, plan, signal);
      if (commit === undefined) return undefined;
      this.renewal.committed(commit.before, commit.operation.time, commit.made);
      void this.feed.poll();
      return commit.operation;
    });
    // The next commit waits for this one to end, however it ends; the caller gets its error.
    this.committing = turn.catch(() => undefined);
    return await turn;
  }
}

/** Refusals are logged; errors of the store, the clock or the caller's program are not operations. */
function isRefusal(error: unknown): error is GraphError {
  return isGraphError(
    error,
    "unknown-id",
    "wrong-layer",
    "outside-volume",
    "no-supervoxel",
    "same-supervoxel",
    "same-object",
    "too-far",
    "superseded",
  );
}

function resultOf(operation: Operation): EditResult {
  const { id: operationId, time, oldRoots, newRoots, newL2 } = operation;
  return { operationId, time, oldRoots, newRoots, newL2 };
}
