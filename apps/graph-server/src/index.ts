/**
 * The graphene HTTP interface of proofreading graphs: `createServer` makes the app, `serve` puts it on a port.
 * @module
 */
export { type AuthOptions, LOOPBACK_HOSTS, type Token } from "./auth.ts";
export { type Config, ConfigError, type ConfigInput, readConfig } from "./config.ts";
export type { ServerEnv } from "./http/env.ts";
export { HttpError } from "./http/errors.ts";
export { DEFAULT_LIMITS, type Limits } from "./limits.ts";
export { type OpenedTable, type OpenTableOptions, openTable, openTables } from "./open-tables.ts";
export { serverOptions } from "./run-server.ts";
export { type RunningServer, type ServeOptions, serve } from "./serve.ts";
export { createServer, type GraphApp, type Logger, type ServerOptions } from "./server.ts";
export type { Table, Tables } from "./tables.ts";
