/** A small HTTP server for the tests of the HTTP driver, with the quirks of real ones on demand. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ServerQuirks {
  /** Answers every range request with 200 and everything. */
  readonly ignoreRanges?: boolean;
  readonly withoutETag?: boolean;
  readonly withoutLength?: boolean;
  /** Does something else with a request; `true`: done. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface TestServer {
  readonly url: string;
  readonly requests: { readonly path: string; readonly headers: IncomingMessage["headers"] }[];
  close(): Promise<void>;
}

export async function serve(contents: ReadonlyMap<string, Uint8Array>, quirks: ServerQuirks = {}): Promise<TestServer> {
  const requests: { path: string; headers: IncomingMessage["headers"] }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url!, headers: request.headers });
    if (quirks.intercept?.(request, response)) return;
    const path = new URL(request.url!, "http://x").pathname;
    const body = contents.get(decodeURIComponent(path.slice("/base/".length)));
    if (!path.startsWith("/base/") || body === undefined) {
      response.writeHead(404).end("no such thing");
      return;
    }
    answer(request, response, body, quirks);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/base/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, body: Uint8Array, quirks: ServerQuirks): void {
  const tag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
  if (!quirks.withoutETag) response.setHeader("ETag", tag);
  if (!quirks.withoutETag && request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  const range = quirks.ignoreRanges ? null : /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  if (range === null) {
    if (quirks.withoutLength) response.writeHead(200).write(body.subarray(0, 1));
    else response.writeHead(200, { "Content-Length": body.length });
    response.end(quirks.withoutLength ? body.subarray(1) : body);
    return;
  }
  const start = range[1] === "" ? Math.max(0, body.length - Number(range[2])) : Number(range[1]);
  const end = range[1] === "" || range[2] === "" ? body.length : Math.min(body.length, Number(range[2]) + 1);
  if (start >= end) response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end("beyond");
  else {
    const headers = { "Content-Range": `bytes ${start}-${end - 1}/${body.length}`, "Content-Length": end - start };
    response.writeHead(206, headers).end(body.subarray(start, end));
  }
}
