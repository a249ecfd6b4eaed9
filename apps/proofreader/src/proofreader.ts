/**
 * The main job as a function: a segmentation in, a page to proofread it out.
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isGraphError } from "@pcg/chunkedgraph";
import {
  type Config,
  createServer,
  type Logger,
  type OpenedTable,
  openTable,
  type RunningServer,
  serve,
  serverOptions,
} from "@pcg/graph-server";
import { checkNewIngest, type RunIngestOptions, runIngest, tableFolder, UsageError } from "@pcg/ingest";
import type { KvStore } from "@pcg/kvstore";
import { openImage } from "./image.ts";
import { mistakeRoutes } from "./mistakes.ts";
import { pageRoutes } from "./page.ts";
import { requireFreePort } from "./port.ts";
import { ensureTutorialVolume, outlineTutorialVolume } from "./tutorial.ts";

/** What to proofread; everything about ingesting that is left out has the ingest's defaults. */
export interface ProofreaderOptions extends Omit<RunIngestOptions, "volume" | "data" | "resume"> {
  /** URL or path of the segmentation; default: what the table was made from, else the tutorial volume. */
  readonly volume?: string;
  /** URL or path of a precomputed image to show underneath. */
  readonly image?: string;
}

/**
 * Ingests what is not ingested yet (or goes on where a killed run stopped), then serves the page, the HTTP API and the
 * plain volumes. Closing the server closes the graph and its stores.
 */
export async function startProofreader(
  config: Config,
  options: ProofreaderOptions,
  logger: Logger,
): Promise<RunningServer> {
  const { volume, image, ...ingest } = options;
  const { data } = config;
  await requireFreePort(config);
  const source = volume === undefined ? await volumeAtHand(data, options) : { volume, image };
  const imageStore = source.image === undefined ? undefined : await openImage(source.image);
  try {
    if (source.volume !== undefined) {
      await runIngest({ ...ingest, volume: source.volume, data, resume: true });
    }
    return await serveTable(config, options.table, imageStore, logger);
  } catch (error) {
    await imageStore?.close();
    throw explained(error, data, options.table);
  }
}

interface Source {
  /** Nothing: the table is complete, so that it needs no volume. */
  readonly volume: string | undefined;
  readonly image: string | undefined;
}

/** Without a volume: the table as it is when it is complete, wherever it came from; else the tutorial volume. */
async function volumeAtHand(data: string, options: ProofreaderOptions): Promise<Source> {
  const { image, table, signal, onProgress } = options;
  const folder = join(tableFolder(data, table).path, "source");
  if (await isComplete(data, table)) {
    const own = join(folder, "image");
    return { volume: undefined, image: image ?? (existsSync(own) ? own : undefined) };
  }
  if (existsSync(tableFolder(data, table).rows) && !existsSync(folder)) {
    throw new UsageError(`table ${table} in ${data} is not complete: give its --volume again to go on with it`);
  }
  if (!existsSync(folder)) checkNewIngest(await outlineTutorialVolume(), options);
  const tutorial = await ensureTutorialVolume(folder, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return { volume: tutorial.segmentation, image: image ?? tutorial.image };
}

async function isComplete(data: string, table: string): Promise<boolean> {
  if (!existsSync(tableFolder(data, table).rows)) return false;
  try {
    await (await openTable(data, table)).close();
    return true;
  } catch (error) {
    if (isGraphError(error, "not-ingested")) return false;
    throw error;
  }
}

async function serveTable(
  config: Config,
  name: string,
  image: KvStore | undefined,
  logger: Logger,
): Promise<RunningServer> {
  const table: OpenedTable = await openTable(config.data, name, { logger, ...(image && { image }) });
  const closing = new AbortController();
  const close = async () => {
    await table.close();
    await image?.close();
  };
  try {
    const app = createServer(serverOptions(config, new Map([[name, table]]), logger, closing.signal));
    app.route("/", await pageRoutes());
    app.route("/", await mistakeRoutes(config.data, name));
    const server = await serve(app, config);
    return {
      ...server,
      close: async () => {
        closing.abort();
        await server.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Adds what to do to refusals whose remedy lies in this command's own options. */
function explained(error: unknown, data: string, table: string): unknown {
  if (!isGraphError(error, "already-ingested")) return error;
  const remedy = `choose another --table or --data, or remove ${join(data, table)} to begin anew`;
  return new Error(`${error.message}; ${remedy}`, { cause: error });
}
