import { createServer as createHttpServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { GraphApp } from "./server.ts";

/** Longer than any client keeps an idle connection, so that none is cut while a request is on its way. */
const KEEP_ALIVE_MS = 75_000;
/** For receiving one request. */
const REQUEST_MS = 300_000;
/** Running requests get this long to end when the server stops. */
const GRACE_MS = 5_000;

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  readonly bodyBytes?: number;
  readonly headerBytes?: number;
}

export interface RunningServer {
  /** Where it listens, with a final slash. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets the running ones end, and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Puts an app on a port (0: any free one).
 * @example
 * const server = await serve(app, { port: 8080, host: "127.0.0.1" });
 */
export async function serve(app: GraphApp, options: ServeOptions): Promise<RunningServer> {
  const bodyBytes = options.bodyBytes ?? DEFAULT_LIMITS.bodyBytes;
  const server = createAdaptorServer({
    fetch: app.fetch,
    createServer: createHttpServer,
    serverOptions: {
      maxHeaderSize: options.headerBytes ?? DEFAULT_LIMITS.headerBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_MS,
    },
    overrideGlobalObjects: false,
    // Refused bodies are drained by the code that refuses them, within its own bounds.
    autoCleanupIncoming: false,
  }) as Server;
  server.on("checkContinue", (request, response) => {
    // A body that is too large is refused by the app before it is asked for.
    if (Number(request.headers["content-length"] ?? 0) <= bodyBytes) response.writeContinue();
    server.emit("request", request, response);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return;
    socket.end(brokenRequest(error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400));
  });
  const endIdle = endWhenIdle(server);
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}/`, port, close: () => close(server, endIdle) };
}

function listen(server: Server, { port, host }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const taken = `port ${port} of ${host} is taken: stop what listens there, or choose another port`;
      reject(cause.code === "EADDRINUSE" ? new Error(taken, { cause }) : cause);
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

/**
 * Counts the requests on each connection. Node's own notion of an idle one leaves out those that never asked anything,
 * as browsers open in advance, and those whose last request ends after the server was told to stop.
 */
function endWhenIdle(server: Server): () => void {
  const requests = new Map<Socket, number>();
  let stopping = false;
  const endIdle = (socket: Socket): void => {
    if (stopping && requests.get(socket) === 0) socket.end();
  };
  server.on("connection", (socket) => {
    requests.set(socket, 0);
    socket.once("close", () => requests.delete(socket));
  });
  server.prependListener("request", ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const running = requests.get(socket);
      if (running === undefined) return;
      requests.set(socket, running - 1);
      endIdle(socket);
    });
  });
  return () => {
    stopping = true;
    for (const socket of requests.keys()) endIdle(socket);
  };
}

function close(server: Server, endIdle: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const grace = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    server.close((error) => {
      clearTimeout(grace);
      if (error) reject(error);
      else resolve();
    });
    endIdle();
  });
}

/** An answer to bytes that are no HTTP request the app could see. */
function brokenRequest(status: 400 | 431): string {
  const message = status === 431 ? "the request's line and headers are too long" : "this is no HTTP request";
  const body = JSON.stringify({ code: status, message });
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
