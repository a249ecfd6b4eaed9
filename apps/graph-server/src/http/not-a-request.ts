/**
 * Answers to what never reaches the app: bytes that are no HTTP, requests without an address, expectations nobody meets.
 * @module
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { RequestError } from "@hono/node-server";
import { withCors } from "./cors.ts";
import { errorResponse, HttpError } from "./errors.ts";

/** What Node's parser says, and what we answer; everything else is no HTTP. */
const BROKEN: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "the request's line and headers are too long; /api/limits says how long they may be"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "the extensions of the body's chunks are too long; send none"],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "the request took too long to arrive; send it again over a new connection"],
};

/** Lets a server answer what it would otherwise drop, or refuse without a word. */
export function refuseWithWords(server: Server, isAnswering: (socket: Duplex) => boolean): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // A second answer in the middle of one would be taken for a part of it.
    if (error.code === "ECONNRESET" || !socket.writable || isAnswering(socket)) {
      socket.destroy();
      return;
    }
    const [status, message] = BROKEN[error.code ?? ""] ?? [400, `this is no HTTP request: ${error.message}`];
    socket.end(rawAnswer(status, message));
  });
  server.on("checkExpectation", ({ headers }: IncomingMessage, response: ServerResponse) => {
    const message = `this server cannot meet the expectation ${JSON.stringify(headers.expect)}; expect 100-continue or nothing`;
    const body = errorBody(417, message);
    response.writeHead(417, answerHeaders(body)).end(body);
  });
  server.on("connect", (_, socket) => socket.end(rawAnswer(405, "this server is no proxy; ask it with GET or POST")));
}

/** The answer to a request that the adapter could not give to the app. */
export function unaddressable(error: unknown): Response {
  const refusal =
    error instanceof RequestError
      ? new HttpError(
          400,
          `this server cannot tell what is asked for: ${error.message}; send a Host header, and a path that begins with "/" and has no "\\"`,
          { cause: error },
        )
      : new HttpError(500, "something went wrong inside the server", { cause: error });
  return withCors(errorResponse(refusal));
}

function rawAnswer(status: number, message: string): string {
  const body = errorBody(status, message);
  const headers = Object.entries(answerHeaders(body)).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, "", body].join("\r\n");
}

function errorBody(code: number, message: string): string {
  return JSON.stringify({ code, message });
}

function answerHeaders(body: string): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    "Access-Control-Allow-Origin": "*",
    Connection: "close",
  };
}
