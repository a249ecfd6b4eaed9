/**
 * Requests to a coordinator over HTTP, on a TCP port or a Unix socket (Node).
 *
 * `POST /commit` with a message of `message.ts` as `application/octet-stream`; 200 with the reply. 401 without the token,
 * 413 over the limit, 404 and 405 elsewhere. Addresses: `unix:/path/of/the.sock`, `http://host:port/`.
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { OcdbtError } from "../errors.ts";
import { MAX_MESSAGE_BYTES } from "./message.ts";
import { listenOnPath, MAX_SOCKET_PATH_BYTES } from "./socket-file.ts";
import { type Answerer, type Transport, undelivered } from "./transport.ts";

export interface CoordinatorServer {
  /** For the lease: where clients reach it. */
  readonly address: string;
  close(): Promise<void>;
}

/** How long a server that closes waits for answers to be taken. */
const CLOSING_MS = 1000;

export interface ServeOptions {
  /** `unix:/path` or `http://host:port/`; port 0 takes a free one. */
  readonly address: string;
  /** Clients must name it; required unless the address is a socket or this machine alone. */
  readonly token?: string;
}

/**
 * Listens before there is anything to answer: give it a function that returns the coordinator. The socket of a process that was killed is taken
 * over, by one of those who start at once; while it is served there is a file `<path>.<number>` beside it.
 *
 * @throws {@link OcdbtError} `already-exists` when another process listens on the socket; `bad-spec`, also when no socket can be made there; Node's errors of a port (`EADDRINUSE`).
 */
export async function serveCoordinator(answerer: () => Answerer, options: ServeOptions): Promise<CoordinatorServer> {
  const target = parseAddress(options.address);
  if ("host" in target && !isLoopback(target.host) && options.token === undefined) {
    throw new OcdbtError(
      "bad-spec",
      `a coordinator on ${target.host} can be reached from other machines; give it a token, or listen on 127.0.0.1`,
    );
  }
  const server = createServer((incoming, outgoing) => {
    handle(answerer, options.token, incoming, outgoing).catch(() => outgoing.destroy());
  });
  // Clients take up connections again; those of a busy one shall not be closed just then.
  server.keepAliveTimeout = 60_000;
  const release =
    "socketPath" in target ? await listenOnPath(server, target.socketPath) : await listenOnPort(server, target);
  return {
    address: "socketPath" in target ? options.address : `http://${bracketed(target.host)}:${portOf(server)}/`,
    close: async () => {
      await release();
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
      });
      server.closeIdleConnections();
      // Answers on their way get there; whoever sends slowly is not waited for.
      setTimeout(() => server.closeAllConnections(), CLOSING_MS).unref();
      await closed;
    },
  };
}

async function listenOnPort(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<() => Promise<void>> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return async () => {};
}

/** @throws OcdbtError `bad-spec` */
export function httpTransport(address: string, options: { readonly token?: string } = {}): Transport {
  const target = parseAddress(address);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const where = "socketPath" in target ? { socketPath: target.socketPath } : { host: target.host, port: target.port };
  const authorization = options.token === undefined ? {} : { authorization: `Bearer ${options.token}` };
  const post = (message: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const outgoing = request({
        ...where,
        agent,
        method: "POST",
        path: "/commit",
        headers: {
          ...authorization,
          "content-type": "application/octet-stream",
          "content-length": message.length,
        },
        ...(signal === undefined ? {} : { signal }),
      });
      const fail = (cause: unknown): void => {
        if (signal?.aborted) reject(signal.reason);
        // The other end let go of the connection while we took it up again. A message may be sent twice.
        else if (outgoing.reusedSocket && isReset(cause)) post(message, signal).then(resolve, reject);
        else reject(unreachable(address, cause));
      };
      outgoing.on("error", fail);
      outgoing.on("response", (incoming) => {
        readBody(incoming).then((body) => {
          if (incoming.statusCode === 200) resolve(body);
          else reject(refused(address, incoming.statusCode ?? 0, body));
        }, fail);
      });
      outgoing.end(message);
    });
  return {
    send: (message, { signal } = {}) => post(message, signal),
    close: async () => agent.destroy(),
  };
}

function isReset(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  return code === "ECONNRESET" || code === "EPIPE";
}

type Target = { readonly socketPath: string } | { readonly host: string; readonly port: number };

function parseAddress(address: string): Target {
  const fail = (): OcdbtError =>
    new OcdbtError(
      "bad-spec",
      `coordinator address ${JSON.stringify(address)} is none; write unix:/run/db.sock or http://127.0.0.1:4100/`,
    );
  if (address.startsWith("unix:")) {
    const socketPath = address.slice("unix:".length);
    if (socketPath === "") throw fail();
    const length = Buffer.byteLength(socketPath);
    if (length > MAX_SOCKET_PATH_BYTES) {
      const message = `the path of coordinator address ${JSON.stringify(address)} has ${length} bytes, and a socket's at most ${MAX_SOCKET_PATH_BYTES}; choose a shorter one`;
      throw new OcdbtError("bad-spec", message, { fields: { length, limit: MAX_SOCKET_PATH_BYTES } });
    }
    return { socketPath };
  }
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw fail();
  }
  if (url.protocol !== "http:" || url.pathname !== "/" || url.search !== "" || url.username !== "") throw fail();
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || "80") };
}

async function handle(
  answerer: () => Answerer,
  token: string | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const end = (status: number, code: string, message: string): void => {
    incoming.resume();
    outgoing.writeHead(status, { "content-type": "application/json", connection: "close" });
    outgoing.end(JSON.stringify({ code, message }));
  };
  if (incoming.url !== "/commit") return end(404, "not-found", "only /commit is here");
  if (incoming.method !== "POST") return end(405, "method-not-allowed", "commits are POSTed");
  if (token !== undefined && !isSame(incoming.headers.authorization ?? "", `Bearer ${token}`)) {
    return end(401, "unauthorized", "this coordinator wants its token as a bearer");
  }
  if (Number(incoming.headers["content-length"] ?? 0) > MAX_MESSAGE_BYTES) {
    return end(413, "too-large", `a request has at most ${MAX_MESSAGE_BYTES} bytes`);
  }
  let body: Uint8Array;
  try {
    body = await readBody(incoming);
  } catch (error) {
    return end(413, "too-large", error instanceof Error ? error.message : String(error));
  }
  const answer = await answerer().answer(body);
  outgoing.writeHead(200, { "content-type": "application/octet-stream", "content-length": answer.length });
  outgoing.end(answer);
}

async function readBody(incoming: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of incoming as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_MESSAGE_BYTES) throw new RangeError(`a message has at most ${MAX_MESSAGE_BYTES} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function unreachable(address: string, cause: unknown): OcdbtError {
  const syscall = (cause as NodeJS.ErrnoException | null)?.syscall;
  if (syscall !== "connect" && syscall !== "getaddrinfo") {
    return new OcdbtError("unavailable", `the coordinator at ${address} does not answer`, { cause });
  }
  return undelivered(`the coordinator at ${address} cannot be reached`, cause);
}

function refused(address: string, status: number, body: Uint8Array): OcdbtError {
  const text = Buffer.from(body).toString("utf8").slice(0, 500);
  const code = status >= 500 ? "unavailable" : "unsupported";
  return new OcdbtError(code, `the coordinator at ${address} refused with HTTP ${status}: ${text}`);
}
