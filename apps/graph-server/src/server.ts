import { OpenAPIHono } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { Auth, type AuthOptions } from "./auth.ts";
import { cors } from "./http/cors.ts";
import { Endpoints, type Services } from "./http/endpoint.ts";
import type { ServerEnv } from "./http/env.ts";
import { asHttpError, errorResponse, HttpError } from "./http/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { connectivityRoutes } from "./routes/connectivity.ts";
import { editRoutes } from "./routes/edits.ts";
import { infoRoutes } from "./routes/info.ts";
import { lineageRoutes } from "./routes/lineage.ts";
import { logRoutes } from "./routes/logs.ts";
import { healthRoute, pageRoutes } from "./routes/page.ts";
import { rootRoutes, treeRoutes } from "./routes/roots.ts";
import { stateRoutes } from "./routes/state.ts";
import { supervoxelRoutes } from "./routes/supervoxels.ts";
import { unavailableRoutes } from "./routes/unavailable.ts";
import { volumeRoutes } from "./routes/volumes.ts";
import type { Tables } from "./tables.ts";
import { SERVER_VERSION } from "./version.ts";

const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "pcg graph server",
    version: SERVER_VERSION,
    description:
      "The graphene HTTP interface of a proofreading graph. Ids are 64-bit: exact numbers, or strings with int64_as_str=1.",
  },
};

/** Where a server writes what happens; pino fits. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ServerOptions {
  readonly tables: Tables;
  readonly auth?: Partial<AuthOptions>;
  readonly limits?: Partial<Limits>;
  readonly logger?: Logger;
  /** Address clients reach the server by, when neither Host nor X-Forwarded headers say it. */
  readonly publicUrl?: string;
  /** Microseconds since 1970. */
  readonly now?: () => bigint;
  /** Abort it when the server stops, so that change feeds end. */
  readonly closing?: AbortSignal;
}

/** The HTTP interface as a hono app; mount further routes on it, and serve it with {@link serve}. */
export type GraphApp = OpenAPIHono<ServerEnv>;

/**
 * @example
 * const app = createServer({ tables: new Map([["cortex", table]]) });
 * await app.request("/segmentation/table/cortex/info");
 */
export function createServer(options: ServerOptions): GraphApp {
  const auth = new Auth({ tokens: [], anonymousUser: "anonymous", allowedOrigins: new Set(), ...options.auth });
  const services: Services = {
    tables: options.tables,
    auth,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    publicUrl: options.publicUrl,
    now: options.now ?? (() => BigInt(Date.now()) * 1000n),
    closing: options.closing ?? new AbortController().signal,
  };
  const app: GraphApp = new OpenAPIHono<ServerEnv>();
  app.use(requestLog(options.logger), cors(), auth.guardHost());
  app.notFound((context) =>
    errorResponse(new HttpError(404, `there is nothing at ${context.req.method} ${context.req.path}`)),
  );
  app.onError((error, context) => {
    const known = asHttpError(error);
    if (known !== undefined) return errorResponse(known);
    if (context.req.raw.signal.aborted) return errorResponse(new HttpError(400, "the client went away"));
    options.logger?.error({ err: error, method: context.req.method, path: context.req.path }, "request failed");
    return errorResponse(new HttpError(500, "something went wrong inside the server; its log has the details"));
  });

  const root = new Endpoints(app, services, "");
  healthRoute(new Endpoints(app, services, "/api"));
  volumeRoutes(app, services);
  app.use("/segmentation/*", auth.requireUser());
  app.use("/meshing/*", auth.requireUser());
  app.use("/api/*", auth.requireUser());
  infoRoutes(root);
  const table = new Endpoints(app, services, "/segmentation/api/v1/table/{table}");
  for (const family of [
    rootRoutes,
    treeRoutes,
    editRoutes,
    stateRoutes,
    lineageRoutes,
    logRoutes,
    connectivityRoutes,
    supervoxelRoutes,
  ]) {
    family(table);
  }
  unavailableRoutes(root);
  pageRoutes(new Endpoints(app, services, "/api"));
  app.get("/openapi.json", (context) => context.json(app.getOpenAPI31Document(DOCUMENT)));
  return app;
}

/** One line a request; the query is left out, as it can hold a token. */
function requestLog(logger: Logger | undefined): MiddlewareHandler<ServerEnv> {
  return async (context, next) => {
    const start = performance.now();
    await next();
    context.res.headers.set("X-Pcg-Version", SERVER_VERSION);
    const ms = Math.round((performance.now() - start) * 10) / 10;
    const fields = { method: context.req.method, path: context.req.path, status: context.res.status, ms };
    if (context.res.status >= 400) logger?.info(fields, "request refused");
    else logger?.debug(fields, "request");
  };
}
