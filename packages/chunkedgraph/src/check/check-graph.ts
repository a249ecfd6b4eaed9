/**
 * The invariant checker: whether a store holds a sound graph, and where not.
 * @module
 */
import type { RowStore } from "@pcg/rowstore";
import type { Time } from "../contract.ts";
import { type ChunkGrid, layerOf } from "../ids.ts";
import { readIngestedSettings } from "../ingested.ts";
import { idOfKey, KIND, kindRange, unpackId } from "../rows/index.ts";
import { gridOf } from "../settings.ts";
import { earlier } from "../time.ts";
import { readHead } from "../view/head.ts";
import { type VoxelSource, Voxels } from "../voxels.ts";
import { checkEdges } from "./edges.ts";
import { checkAgreement, liveNodes } from "./hierarchy.ts";
import { checkLineage, checkLog } from "./log.ts";
import { type NodeTable, readNodeTable } from "./node-table.ts";
import { Findings, type Violation } from "./report.ts";
import { checkSkipRule } from "./skip-rule.ts";
import { checkVoxels } from "./voxels.ts";

export interface CheckOptions {
  /** The instant whose state is checked; default and maximum: the last commit. History is checked as a whole. */
  readonly time?: Time;
  /** The supervoxel volume of now; checked too when given. */
  readonly voxels?: VoxelSource;
  /** Most violations to list; default 1000. The rest are counted. */
  readonly maxViolations?: number;
  readonly signal?: AbortSignal;
}

export interface CheckReport {
  readonly time: Time;
  readonly supervoxels: number;
  readonly nodes: number;
  readonly roots: number;
  readonly edges: number;
  readonly activeEdges: number;
  readonly operations: number;
  /** Empty when the graph is sound. */
  readonly violations: readonly Violation[];
  /** How many there are, listed or not. */
  readonly violationCount: number;
}

/**
 * Checks a graph that nobody edits meanwhile: parents and children agree at every time; layers rise; every supervoxel has
 * one root; level-2 nodes and roots are the components of active edges; parents are where the skip rule puts them; cross
 * edges are those of the supervoxels; nodes and children share chunks; lineage, log, timeline and counters agree; and,
 * with voxels, supervoxels are what the volume holds.
 *
 * Rows are streamed; memory is about 150 bytes per node and 30 per cross edge.
 *
 * @example
 * const { violations } = await checkGraph(rows);
 * for (const { rule, id, message } of violations) console.error(`${rule}: ${id} ${message}`);
 */
export async function checkGraph(rows: RowStore, options: CheckOptions = {}): Promise<CheckReport> {
  const { signal, maxViolations = 1000 } = options;
  const settings = await readIngestedSettings(rows);
  const grid = gridOf(settings);
  const { layers, ingestTime } = settings;
  const head = (await readHead(rows)) ?? { lastTime: ingestTime, lastOperation: 0n };
  const time = earlier(options.time ?? head.lastTime, head.lastTime);
  const findings = new Findings(maxViolations);
  const table = await readNodeTable(rows, grid, time, findings, signal);
  checkAgreement(table, findings);
  const live = liveNodes(table, layers, Number(time), findings);
  const { edges, active } = await checkEdges(rows, grid, time, table, live, findings, signal);
  checkSkipRule(table, live, layers, findings);
  const done = await checkLog(rows, head, ingestTime, table, findings);
  const ended = await checkLineage(rows, done, layers, table, findings);
  if (time === head.lastTime) checkRoots(table, live, layers, ended, findings);
  await checkCounters(rows, grid, table, findings);
  const supervoxels = table.ids.filter((id, i) => live[i] === 1 && layerOf(id) === 1);
  if (options.voxels !== undefined)
    await checkVoxels(new Voxels(grid, options.voxels), settings, supervoxels, findings, signal);
  return {
    time,
    supervoxels: supervoxels.length,
    nodes: table.ids.length,
    roots: table.ids.reduce((n, id, i) => n + (live[i] === 1 && layerOf(id) === layers ? 1 : 0), 0),
    edges,
    activeEdges: active,
    operations: Number(head.lastOperation),
    violations: findings.violations,
    violationCount: findings.total,
  };
}

/** A root has a successor exactly when nothing is below it any more. */
function checkRoots(
  table: NodeTable,
  live: Uint8Array,
  layers: number,
  ended: ReadonlySet<bigint>,
  findings: Findings,
): void {
  for (let i = table.ids.length - 1; i >= 0 && layerOf(table.ids[i]!) === layers; i--)
    if ((live[i] === 1) === ended.has(table.ids[i]!))
      findings.add("root", table.ids[i]!, live[i] ? "is superseded but not empty" : "is empty but not superseded");
}

/** No node has a number that its chunk's counter would give out again. */
async function checkCounters(
  rows: RowStore,
  { layout }: ChunkGrid,
  table: NodeTable,
  findings: Findings,
): Promise<void> {
  const last = new Map<bigint, bigint>();
  for (const id of table.ids) last.set(layout.chunkOf(id), layout.segmentOf(id));
  for await (const row of rows.read({ ranges: [kindRange(KIND.counter)] })) {
    const chunk = idOfKey(row.key);
    if (unpackId(row.cells[0]!.value) < (last.get(chunk) ?? 0n))
      findings.add("counter", chunk, `is below the number ${last.get(chunk)} that is in use`);
    last.delete(chunk);
  }
  for (const [chunk, segment] of last)
    findings.add("counter", chunk, `there is no counter, but number ${segment} is in use`);
}
