import { LOOPBACK_HOSTS } from "./auth.ts";
import { type Config, isLoopback } from "./config.ts";
import { openTables } from "./open-tables.ts";
import { serve } from "./serve.ts";
import { createServer, type Logger, type ServerOptions } from "./server.ts";
import type { Tables } from "./tables.ts";

export interface RunServerOptions {
  readonly logger: Logger;
  /** Aborted to end it. */
  readonly stop: AbortSignal;
  /** Called when requests are answered. */
  readonly onReady: (url: string) => void;
}

/** Serves the tables of a data folder until it is stopped. */
export async function runServer(config: Config, { logger, stop, onReady }: RunServerOptions): Promise<void> {
  const tables = await openTables(config.data, logger);
  try {
    const app = createServer(serverOptions(config, tables, logger, stop));
    const server = await serve(app, config);
    logger.info({ url: server.url, tables: [...tables.keys()] }, "serving");
    onReady(server.url);
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
    logger.info({}, "stopping");
    await server.close();
  } finally {
    for (const table of tables.values()) await table.close();
  }
}

/** What {@link createServer} needs of the settings. */
export function serverOptions(config: Config, tables: Tables, logger: Logger, closing: AbortSignal): ServerOptions {
  const tokens = [
    ...config.tokens,
    ...(config.token === undefined ? [] : [{ token: config.token, user: config.user }]),
  ];
  const { publicUrl, bodyBytes, objectCacheBytes } = config;
  const ownHosts = [...LOOPBACK_HOSTS, config.host, ...(publicUrl === undefined ? [] : [new URL(publicUrl).hostname])];
  return {
    tables,
    logger,
    closing,
    auth: {
      tokens,
      anonymousUser: config.user,
      allowedOrigins: new Set(config.allowOrigin),
      ...(tokens.length === 0 && isLoopback(config.host) && { allowedHosts: new Set(ownHosts) }),
    },
    limits: { bodyBytes, objectCacheBytes },
    ...(publicUrl !== undefined && { publicUrl }),
  };
}
