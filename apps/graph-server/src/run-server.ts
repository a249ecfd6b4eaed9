import { existsSync } from "node:fs";
import { LOOPBACK_HOSTS } from "./auth.ts";
import type { Config } from "./config.ts";
import { ConfigError, isLoopback } from "./config.ts";
import { openTables } from "./open-tables.ts";
import { serve } from "./serve.ts";
import { createServer, type Logger, type ServerOptions } from "./server.ts";
import type { Tables } from "./tables.ts";

/** Serves the tables of a data folder until SIGINT or SIGTERM. */
export async function runServer(config: Config, logger: Logger): Promise<void> {
  if (!existsSync(config.data)) throw new ConfigError(`--data ${config.data}: there is no such folder`, "data");
  const tables = await openTables(config.data, logger);
  try {
    const closing = new AbortController();
    const app = createServer(serverOptions(config, tables, logger, closing.signal));
    const server = await serve(app, config);
    process.stdout.write(`ready ${server.url}\n`);
    logger.info({ url: server.url, tables: [...tables.keys()] }, "serving");
    const signal = await stopSignal();
    logger.info({ signal }, "stopping");
    closing.abort();
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
  const ownHosts = publicUrl === undefined ? LOOPBACK_HOSTS : [...LOOPBACK_HOSTS, new URL(publicUrl).hostname];
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

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
}
