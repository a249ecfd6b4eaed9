import { createServer as createHttpServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { refuseWithWords, unaddressable } from "./http/not-a-request.ts";
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
  const server = createHttpServer(
    {
      maxHeaderSize: options.headerBytes ?? DEFAULT_LIMITS.headerBytes,
      keepAliveTimeout: KEEP_ALIVE_MS,
      requestTimeout: REQUEST_MS,
      // Node would refuse without a word; the adapter asks for a host as well.
      requireHostHeader: false,
    },
    getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      // Refused bodies are drained by the code that refuses them, within its own bounds.
      autoCleanupIncoming: false,
      errorHandler: unaddressable,
    }),
  );
  server.on("checkContinue", (request, response) => {
    // A body that is too large is refused by the app before it is asked for.
    if (Number(request.headers["content-length"] ?? 0) <= bodyBytes) response.writeContinue();
    server.emit("request", request, response);
  });
  const connections = watchConnections(server);
  refuseWithWords(server, (socket) => connections.isAnswering(socket as Socket));
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}/`, port, close: () => close(server, connections.endIdle) };
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

interface Connections {
  /** Whether an answer is on its way over the connection. */
  isAnswering(socket: Socket): boolean;
  /** Ends the connections without a request, now and as they become so. */
  endIdle(): void;
}

/**
 * Knows the requests on each connection. Node's own notion of an idle one leaves out those that never asked anything,
 * as browsers open in advance, and those whose last request ends after the server was told to stop.
 */
function watchConnections(server: Server): Connections {
  const running = new Map<Socket, Set<ServerResponse>>();
  let stopping = false;
  const endIfIdle = (socket: Socket): void => {
    if (stopping && running.get(socket)?.size === 0) socket.end();
  };
  server.on("connection", (socket) => {
    running.set(socket, new Set());
    socket.once("close", () => running.delete(socket));
  });
  server.prependListener("request", ({ socket }, response) => {
    running.get(socket)?.add(response);
    response.once("close", () => {
      running.get(socket)?.delete(response);
      endIfIdle(socket);
    });
  });
  return {
    isAnswering: (socket) => [...(running.get(socket) ?? [])].some(({ headersSent }) => headersSent),
    endIdle: () => {
      stopping = true;
      for (const socket of running.keys()) endIfIdle(socket);
    },
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
