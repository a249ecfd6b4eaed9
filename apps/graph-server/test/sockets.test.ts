import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RunningServer, serve } from "../src/index.ts";
import { A, B, C, D } from "./support/fake-graph.ts";
import { API, idBytes, type Toy, toy } from "./support/toy-table.ts";

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

describe("over a socket", () => {
  let server: Toy;
  let running: RunningServer;
  let closing: AbortController;
  let agent: Agent;
  beforeEach(async () => {
    closing = new AbortController();
    server = await toy({ limits: { bodyBytes: 1_000_000 }, closing: closing.signal });
    running = await serve(server.app, { port: 0, host: "127.0.0.1", bodyBytes: 1_000_000 });
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
  });
  afterEach(async () => {
    agent.destroy();
    closing.abort();
    await running.close();
  });

  function send(
    method: string,
    path: string,
    body?: Uint8Array | string,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const request = httpRequest(
        new URL(path, running.url),
        { method, agent, headers: { ...length, ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
          );
          response.on("error", reject);
        },
      );
      request.on("error", reject);
      request.end(body);
    });
  }

  test("GET with a JSON body and no Content-Type, on a kept connection", async () => {
    const roots = new BigUint64Array(
      new Uint8Array((await send("POST", `${API}/roots_binary`, idBytes(A, B))).body).buffer,
    );
    const [a, b] = [roots[0]!, roots[1]!];
    await send("POST", `${API}/merge`, `[[${A},160,240,1600],[${C},640,240,1600]]`, {
      "content-type": "text/plain;charset=UTF-8",
    });
    const merged = server.graph.log[0]!.newRoots[0]!;

    const past = await send("GET", `${API}/past_id_mapping?timestamp_past=0`, `{"root_ids":[${merged},"${merged}"]}`);
    expect(past.body.toString()).toBe(
      `{"past_id_map":{"${merged}":[${[a, b].sort().join(",")}]},"future_id_map":{"${a}":${merged},"${b}":${merged}}}`,
    );
    const atItsTime = await send(
      "GET",
      `${API}/past_id_mapping?timestamp_past=1700000001.123459`,
      `{"root_ids":[${merged}]}`,
    );
    expect(atItsTime.body.toString()).toBe(
      `{"past_id_map":{"${merged}":[${merged}]},"future_id_map":{"${merged}":${merged}}}`,
    );
    const itself = await send("GET", `${API}/past_id_mapping`, `{"root_ids":[${a}]}`);
    expect(
      JSON.parse(
        itself.body
          .toString()
          .replaceAll(/\b(\d{9,})\b/g, '"$1"')
          .replaceAll('""', '"'),
      ).past_id_map,
    ).toEqual({
      [String(a)]: [String(a)],
    });

    const table = await send("GET", `${API}/tabular_change_log_many?filtered=True`, `{"root_ids":[${merged},${a}]}`);
    const tables = JSON.parse(table.body.toString()) as Record<string, string>;
    expect(JSON.parse(tables[String(merged)]!)).toMatchObject({ operation_id: { 0: 1 }, is_merge: { 0: true } });
    expect(tables[String(merged)]).toContain(`"after_root_ids":{"0":[${merged}]}`);
    expect(JSON.parse(tables[String(a)]!)).toMatchObject({ operation_id: {}, user_name: {} });

    const nodes = `{"node_ids":[${A},${merged},5]}`;
    const valid = await send("GET", `${API}/valid_nodes?start_timestamp=946684800.0`, nodes);
    expect(valid.body.toString()).toBe(`{"valid_roots":[${A},${merged}]}`);
    const then = await send("GET", `${API}/valid_nodes?start_timestamp=946684800.0&end_timestamp=1700000000.2`, nodes);
    expect(then.body.toString()).toBe(`{"valid_roots":[${A}]}`);
    const packed = await send("GET", `${API}/valid_nodes`, gzipSync(nodes), { "content-encoding": "gzip" });
    expect(packed.body.toString()).toBe(`{"valid_roots":[${A},${merged}]}`);
    // The merge was at 1,700,000,001.123459: since then the root before it is superseded.
    const during = async (window: string): Promise<string> =>
      (await send("GET", `${API}/valid_nodes?${window}`, `{"node_ids":[${A},${a},${merged}]}`)).body.toString();
    expect(await during("start_timestamp=946684800")).toBe(`{"valid_roots":[${A},${a},${merged}]}`);
    expect(await during("start_timestamp=1700000001.123458")).toBe(`{"valid_roots":[${A},${a},${merged}]}`);
    expect(await during("start_timestamp=1700000001.123459")).toBe(`{"valid_roots":[${A},${merged}]}`);
    expect(await during("end_timestamp=1700000001.123458")).toBe(`{"valid_roots":[${A},${a}]}`);
    expect(await during("start_timestamp=1700000001.2&end_timestamp=1700000001")).toBe('{"valid_roots":[]}');
    expect((await send("GET", `${API}/valid_nodes`)).status).toBe(400);
  });

  test("a client that closes its connection still gets to read why its body was too large", async () => {
    for (const announced of [true, false]) {
      const reply = await new Promise<string>((resolve, reject) => {
        const { port } = new URL(running.url);
        const socket = connect(Number(port), "127.0.0.1");
        let text = "";
        socket.on("data", (data) => {
          text += data;
        });
        socket.on("error", reject);
        socket.on("end", () => resolve(text));
        const body = Buffer.alloc(8_000_000, "1");
        const framing = announced ? `Content-Length: ${body.length}` : "Transfer-Encoding: chunked";
        socket.write(`POST ${API}/roots HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${framing}\r\n\r\n`);
        if (!announced) socket.write(`${body.length.toString(16)}\r\n`);
        socket.write(body);
        if (!announced) socket.write("\r\n0\r\n\r\n");
      });
      expect(reply).toMatch(/^HTTP\/1.1 413/);
      expect(reply).toContain('"code":413');
    }
  });

  test("forwarded headers that name no address are refused", async () => {
    const refused: Record<string, string>[] = [
      { "x-forwarded-host": "a b" },
      { "x-forwarded-host": "evil:99999" },
      { "x-forwarded-proto": "://" },
      { "x-forwarded-proto": "javascript" },
    ];
    for (const headers of refused)
      expect((await send("GET", "/segmentation/table/toy/info", undefined, headers)).status).toBe(400);
  });

  test("a body over the limit gets its JSON 413, and the connection stays usable", async () => {
    const huge = await send("POST", `${API}/roots_binary`, new Uint8Array(40_000_000));
    expect(huge.status).toBe(413);
    expect(JSON.parse(huge.body.toString())).toMatchObject({
      code: 413,
      message: expect.stringContaining("at most 1000000"),
    });
    expect((await send("GET", "/api/health")).status).toBe(200);
  });

  test("a large body nobody reads does not spoil the connection either", async () => {
    expect((await send("POST", `${API}/undo`, new Uint8Array(20_000_000))).status).toBe(501);
    expect((await send("POST", "/segmentation/api/v1/table/other/merge", new Uint8Array(20_000_000))).status).toBe(404);
    expect((await send("GET", "/api/health")).status).toBe(200);
  });

  test("a body over the limit that does not say its length is refused on the way", async () => {
    const reply = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(new URL(`${API}/roots_binary`, running.url), { method: "POST" }, (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      request.on("error", reject);
      for (let i = 0; i < 40; i++) request.write(new Uint8Array(100_000));
      request.end();
    });
    expect(reply).toBe(413);
  });

  test("a client that asks first is told before it sends", async () => {
    const socket = connect(running.port, "127.0.0.1");
    const ask = async (length: number): Promise<string> => {
      socket.write(
        `POST ${API}/roots_binary HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`,
      );
      return String(((await once(socket, "data")) as [Buffer])[0]);
    };
    expect(await ask(8)).toMatch(/^HTTP\/1.1 100 Continue/);
    socket.write(idBytes(D));
    await once(socket, "data");
    expect(await ask(2_000_000)).toMatch(/^HTTP\/1.1 413/);
    socket.destroy();
  });

  test("a body that breaks off leaves the server well", async () => {
    const socket = connect(running.port, "127.0.0.1");
    const head = `POST ${API}/merge HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\nExpect: 100-continue\r\n\r\n`;
    socket.write(head);
    // The server has begun to read once it asks for the body.
    await once(socket, "data");
    socket.write("[[1,", () => socket.destroy());
    await once(socket, "close");
    expect((await send("GET", "/api/health")).status).toBe(200);
    expect(server.graph.log).toHaveLength(0);
  });

  /** Sends text and reads until the server ends the connection. */
  async function talk(
    text: string,
  ): Promise<{ readonly status: number; readonly headers: string; readonly body: string }> {
    const socket = connect(running.port, "127.0.0.1");
    socket.write(text);
    let reply = "";
    for await (const chunk of socket) reply += String(chunk);
    const [head, ...body] = reply.split("\r\n\r\n");
    return { status: Number(head!.split(" ")[1]), headers: head!.toLowerCase(), body: body.join("\r\n\r\n") };
  }

  const HEALTH = "GET /api/health HTTP/1.1";
  const HOST = "Host: 127.0.0.1\r\nConnection: close";
  test.each([
    ["bytes that are no HTTP", "HELLO\r\n\r\n", 400],
    ["a method nobody knows", `FROB /api/health HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ["headers without end", `${HEALTH}\r\nX: ${"x".repeat(300_000)}\r\n\r\n`, 431],
    ["an address without end", `GET /${"x".repeat(300_000)} HTTP/1.1\r\n${HOST}\r\n\r\n`, 431],
    ["no host", `${HEALTH}\r\nConnection: close\r\n\r\n`, 400],
    ["no host in HTTP/1.0", "GET /api/health HTTP/1.0\r\n\r\n", 400],
    ["an empty host", `${HEALTH}\r\nHost:\r\nConnection: close\r\n\r\n`, 400],
    ["a host that is none", `${HEALTH}\r\nHost: a b\r\nConnection: close\r\n\r\n`, 400],
    ["a host with a name in front", `${HEALTH}\r\nHost: me@127.0.0.1\r\nConnection: close\r\n\r\n`, 400],
    ["another address than a path", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ["an address of another scheme", `GET ftp://127.0.0.1/ HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ["a backslash in the path", `GET /api\\health HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ["an expectation nobody meets", `${HEALTH}\r\n${HOST}\r\nExpect: x\r\n\r\n`, 417],
    ["a request for a tunnel", `CONNECT 127.0.0.1:80 HTTP/1.1\r\n${HOST}\r\n\r\n`, 405],
    ["a method with no route", `TRACE /api/health HTTP/1.1\r\n${HOST}\r\n\r\n`, 404],
    ["a broken escape in the path", `GET /segmentation/table/%ff%/info HTTP/1.1\r\n${HOST}\r\n\r\n`, 404],
    [
      "a chunked body that breaks off in nonsense",
      `POST ${API}/merge HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
    ["two lengths", `POST ${API}/merge HTTP/1.1\r\n${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n[]`, 400],
  ])("%s: a JSON answer that pages may read", async (_, text, status) => {
    const reply = await talk(text);
    expect(reply.status).toBe(status);
    expect(JSON.parse(reply.body)).toMatchObject({ code: status, message: expect.stringMatching(/\w{3}/) });
    expect(reply.body).not.toMatch(/\n\s+at /);
    expect(reply.headers).toContain("content-type: application/json");
    expect(reply.headers).toContain("access-control-allow-origin: *");
    expect((await send("GET", "/api/health")).status).toBe(200);
  });

  test("long lists of operations fit the address", async () => {
    const ids = encodeURIComponent(`[${Array.from({ length: 5000 }, (_, i) => i + 1).join(", ")}]`);
    expect((await send("GET", `${API}/operation_details?operation_ids=${ids}`)).status).toBe(404);
  });

  test("when a client goes away its read is cancelled", async () => {
    const reading = new Promise<AbortSignal>((begun) => {
      Object.assign(server.graph, {
        view: async () => ({
          roots: (_: unknown, { signal }: { signal: AbortSignal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener("abort", () => reject(signal.reason));
              begun(signal);
            }),
        }),
      });
    });
    const socket = connect(running.port, "127.0.0.1");
    socket.write(`GET ${API}/node/${A}/root HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const signal = await reading;
    socket.destroy();
    await expect.poll(() => signal.aborted).toBe(true);
  });

  describe("the change feed", () => {
    const merge = (a: bigint, ax: number, b: bigint, bx: number): Promise<Reply> =>
      send("POST", `${API}/merge`, `[[${a},${ax * 8},240,1600],[${b},${bx * 8},240,1600]]`);

    /** Reads a feed until it has seen that many events. */
    async function events(
      count: number,
      headers: Record<string, string> = {},
      ready: () => void = () => undefined,
      query = "",
    ): Promise<string[]> {
      const stop = new AbortController();
      const response = await fetch(new URL(`/api/tables/toy/events${query}`, running.url), {
        headers,
        signal: stop.signal,
      });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      const found: string[] = [];
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body!) {
        text += decoder.decode(chunk as Uint8Array);
        const blocks = text.split("\n\n");
        text = blocks.pop()!;
        if (blocks.some((block) => block.startsWith("retry:"))) ready();
        found.push(...blocks.filter((block) => block.includes("event: operation")));
        if (found.length >= count) break;
      }
      stop.abort();
      return found;
    }

    test("tells each operation when it happens, and resumes without a gap", async () => {
      const live = await events(1, {}, () => void merge(A, 20, B, 60));
      const operation = server.graph.log[0]!;
      expect(live[0]).toMatch(new RegExp(`^id: ${operation.time}\nevent: operation\ndata: `));
      expect(JSON.parse(live[0]!.split("data: ")[1]!)).toEqual({
        id: "1",
        kind: "merge",
        status: "done",
        user: "anonymous",
        time: "1700000001.123459",
        position: [40, 30, 40],
        oldRoots: Array.from(operation.oldRoots, String),
        newRoots: Array.from(operation.newRoots, String),
      });
      await merge(C, 80, D, 120);
      const missed = await events(1, { "last-event-id": String(operation.time) });
      expect(missed[0]).toContain(`id: ${server.graph.log[1]!.time}`);
      expect(await events(2, { "last-event-id": "0" })).toHaveLength(2);
      expect(await events(1, {}, undefined, "?after=1700000001.123459")).toEqual(missed);
      await expect.poll(() => server.graph.listenerCount).toBe(0);
    });

    test("the number of feeds is bounded, and a closed one makes room", async () => {
      const small = await toy({ limits: { feeds: 1 } });
      const reader = (await small.get("/api/tables/toy/events")).body!.getReader();
      await reader.read();
      expect((await small.get("/api/tables/toy/events")).status).toBe(409);
      await reader.cancel();
      const again = await small.get("/api/tables/toy/events");
      expect(again.status).toBe(200);
      await again.body!.cancel();
      expect((await small.get("/api/tables/toy/events", { headers: { "last-event-id": "x" } })).status).toBe(400);
    });

    test("a HEAD request opens none", async () => {
      const small = await toy({ limits: { feeds: 1 } });
      for (let i = 0; i < 3; i++) await small.app.request("/api/tables/toy/events", { method: "HEAD" });
      for (let i = 0; i < 3; i++) expect((await send("HEAD", "/api/tables/toy/events")).status).toBe(200);
      expect((await small.get("/api/tables/toy/events")).status).toBe(200);
    });

    test("ends when the server stops, so that stopping is quick", async () => {
      const response = await fetch(new URL("/api/tables/toy/events", running.url));
      const start = performance.now();
      closing.abort();
      await running.close();
      expect(performance.now() - start).toBeLessThan(2000);
      expect(await response.text()).toBe("retry: 2000\n\n");
      running = await serve(server.app, { port: 0, host: "127.0.0.1" });
    });

    test("the history lists operations oldest first, the newest when there are more than asked for", async () => {
      await merge(A, 20, B, 60);
      await merge(C, 80, D, 120);
      const list = async (query: string): Promise<{ operations: { id: string }[]; truncated: boolean }> =>
        JSON.parse((await send("GET", `/api/tables/toy/operations${query}`)).body.toString());
      expect((await list("")).operations.map(({ id }) => id)).toEqual(["1", "2"]);
      expect(await list("?limit=1")).toMatchObject({ operations: [{ id: "2" }], truncated: true });
      expect((await list("?from=1700000001.123460")).operations.map(({ id }) => id)).toEqual(["2"]);
      expect((await list("?to=1700000001.123459")).operations.map(({ id }) => id)).toEqual(["1"]);
      expect((await send("GET", "/api/tables/toy/operations?limit=0")).status).toBe(400);
      const tables = JSON.parse((await send("GET", "/api/tables")).body.toString());
      expect(tables).toMatchObject({
        tables: [
          { name: "toy", resolution: [8, 8, 40], voxelOffset: [10, 20, 30], size: [128, 64, 64], hasImage: true },
        ],
      });
      expect(JSON.parse((await send("GET", "/api/limits")).body.toString())).toMatchObject({ bodyBytes: 1_000_000 });
    });
  });
});
