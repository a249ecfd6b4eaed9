/**
 * The tasks that touch voxels, as handlers for any task runner. Their payloads name stores by URL, so that a worker in another
 * thread or process opens them itself; they write voxels and scratch data, never rows.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import type { TaskHandlers } from "@pcg/tasks";
import type { Volume } from "@pcg/volume";
import { type ChunkResult, type ChunkTask, runChunkTask } from "./chunk-task.ts";
import { type FacesResult, type FacesTask, runFacesTask } from "./faces-task.ts";

/** How a worker opens what a payload names. Each URL is opened once per set of handlers and stays open. */
export interface VoxelTaskIo {
  openVolume(url: string): Promise<Volume>;
  openKvStore(url: string): Promise<KvStore>;
}

/** Names of the tasks a runner of an ingest must know. */
export const CHUNK_TASK = "ingest-chunk";
export const FACES_TASK = "ingest-faces";

/**
 * Handlers of the voxel tasks.
 *
 * @example
 * const drivers = { ...fileDriver(), ...httpDriver() };
 * export const handlers = voxelTasks({
 *   openVolume: (url) => openVolume(url, { drivers }),
 *   openKvStore: (url) => openKvStore(url, drivers),
 * });
 */
export function voxelTasks(io: VoxelTaskIo): TaskHandlers {
  const openVolume = once((url: string) => io.openVolume(url));
  const openKvStore = once((url: string) => io.openKvStore(url));
  return {
    [CHUNK_TASK]: async (task: ChunkTask, { signal }: { readonly signal: AbortSignal }): Promise<ChunkResult> =>
      runChunkTask(
        task,
        await openVolume(task.source),
        await openKvStore(task.supervoxels.url),
        await openKvStore(task.scratch),
        signal,
      ),
    [FACES_TASK]: async (task: FacesTask, { signal }: { readonly signal: AbortSignal }): Promise<FacesResult> =>
      runFacesTask(task, await openKvStore(task.scratch), signal),
  };
}

/** Remembers successes; a failure is tried again by the next caller. */
function once<T>(open: (url: string) => Promise<T>): (url: string) => Promise<T> {
  const opened = new Map<string, Promise<T>>();
  return (url) => {
    const known = opened.get(url);
    if (known !== undefined) return known;
    const opening = open(url);
    opened.set(url, opening);
    opening.catch(() => opened.delete(url));
    return opening;
  };
}
