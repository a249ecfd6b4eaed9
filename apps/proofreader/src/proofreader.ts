/**
 * The main job as a function: a segmentation in, a page to proofread it out.
 * @module
 */
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
import { type RunIngestOptions, runIngest, tableFolder } from "@pcg/ingest";
import type { KvStore } from "@pcg/kvstore";
import { openImage } from "./image.ts";
import { pageRoutes } from "./page.ts";
import { ensureTutorialVolume } from "./tutorial.ts";

/** What to proofread; everything about ingesting that is left out has the ingest's defaults. */
export interface ProofreaderOptions extends Omit<RunIngestOptions, "volume" | "data" | "resume"> {
  /** URL or path of the segmentation; default: the tutorial volume, made on first use. */
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
  const source = await segmentation(config.data, options);
  const imageStore = source.image === undefined ? undefined : await openImage(source.image);
  try {
    await runIngest({ ...ingest, volume: source.volume, data: config.data, resume: true });
    return await serveTable(config, options.table, imageStore, logger);
  } catch (error) {
    await imageStore?.close();
    throw explained(error, config.data, options.table);
  }
}

async function segmentation(
  data: string,
  { volume, image, table, signal, onProgress }: ProofreaderOptions,
): Promise<{ readonly volume: string; readonly image: string | undefined }> {
  if (volume !== undefined) return { volume, image };
  const folder = join(tableFolder(data, table).path, "source");
  const tutorial = await ensureTutorialVolume(folder, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  return { volume: tutorial.segmentation, image: image ?? tutorial.image };
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
