import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryKvStore } from "@pcg/kvstore";
import { describe, expect, onTestFinished, test } from "vitest";
import { LEASE_KEY } from "../../src/coordinator/lease.ts";
import { httpTransport, serveCoordinator } from "../../src/coordinator-http.ts";
import { type Answerer, coordinatedCommitter, type LeaseRecord, openOcdbt } from "../../src/index.ts";

const reversing: Answerer = { answer: async (message) => message.slice().reverse() };
const message = Uint8Array.from([1, 2, 3]);

async function socketAddress(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "pcg-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return `unix:${join(folder, "c.sock")}`;
}

async function serve(address: string, token?: string): Promise<string> {
  const server = await serveCoordinator(() => reversing, { address, ...(token === undefined ? {} : { token }) });
  onTestFinished(() => server.close());
  return server.address;
}

describe("a coordinator over HTTP", () => {
  test.each(["a port", "a socket"])("is reached through %s", async (way) => {
    const address = await serve(way === "a port" ? "http://127.0.0.1:0/" : await socketAddress());
    const transport = httpTransport(address);
    onTestFinished(() => transport.close());
    expect(Array.from(await transport.send(message))).toEqual([3, 2, 1]);
    const large = new Uint8Array(5_000_000).fill(7);
    expect((await transport.send(large)).length).toBe(large.length);
  });

  test("wants its token", async () => {
    const address = await serve("http://127.0.0.1:0/", "secret");
    const stranger = httpTransport(address, { token: "guess" });
    await expect(stranger.send(message)).rejects.toMatchObject({ code: "unsupported" });
    const friend = httpTransport(address, { token: "secret" });
    expect(Array.from(await friend.send(message))).toEqual([3, 2, 1]);
    await Promise.all([stranger.close(), friend.close()]);
  });

  test("does not listen to other machines without a token", async () => {
    await expect(serve("http://0.0.0.0:0/")).rejects.toThrow(/give it a token, or listen on 127.0.0.1/);
  });

  test("that is gone is said to be unavailable", async () => {
    const transport = httpTransport(await socketAddress());
    await expect(transport.send(message)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("sends again when a connection that it took up again was let go of at the other end", async () => {
    const address = await socketAddress();
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      let messages = 0;
      socket.on("error", () => {});
      socket.on("data", () => {
        if (++messages === 1) {
          socket.write("HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: 3\r\n\r\nabc");
        } else socket.destroy();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(address.slice("unix:".length), resolve);
    });
    onTestFinished(() => void server.close());
    const transport = httpTransport(address);
    for (let i = 0; i < 4; i++) expect(Buffer.from(await transport.send(message)).toString()).toBe("abc");
    expect(connections).toBeGreaterThan(1);
    await transport.close();
  });

  test("a call that is given up rejects with the reason and lets go of its connection", async () => {
    let closed!: () => void;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const address = await socketAddress();
    const silent = createServer((socket) =>
      socket
        .on("close", closed)
        .on("error", () => {})
        .resume(),
    );
    await new Promise<void>((resolve) => {
      silent.listen(address.slice("unix:".length), resolve);
    });
    onTestFinished(() => void silent.close());
    const controller = new AbortController();
    const sent = httpTransport(address).send(message, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(sent).rejects.toThrow("enough");
    await gone;
  });

  test("one that never answers becomes unavailable, and the commit is made all the same", async () => {
    const address = await socketAddress();
    let messages = 0;
    const silent = createServer((socket) => socket.on("error", () => {}).on("data", () => messages++));
    await new Promise<void>((resolve) => {
      silent.listen(address.slice("unix:".length), resolve);
    });
    onTestFinished(() => void silent.close());
    const store = memoryKvStore();
    const record = { epoch: 4, holder: "f".repeat(32), address, durationMs: 10_000, renewal: 9 };
    await store.write(LEASE_KEY, new TextEncoder().encode(JSON.stringify(record)));
    const connect = (lease: LeaseRecord) => httpTransport(lease.address!);
    const db = await openOcdbt(store, { committer: coordinatedCommitter({ connect, timeoutMs: 30, attempts: 2 }) });
    await db.write("a", message);
    expect(messages).toBeGreaterThanOrEqual(2);
    expect(Array.from((await db.read("a"))!.value)).toEqual([1, 2, 3]);
    await db.close();
  });

  test("closes although somebody sends slowly", async () => {
    const server = await serveCoordinator(() => reversing, { address: "http://127.0.0.1:0/" });
    const slow = request(new URL("commit", server.address), { method: "POST", headers: { "content-length": 1000 } });
    slow.on("error", () => {});
    slow.write("half");
    await new Promise((resolve) => slow.on("socket", (socket) => socket.once("connect", resolve)));
    await server.close();
  });

  test("takes over the socket of one that was killed, not of one that listens", async () => {
    const address = await socketAddress();
    const path = address.slice("unix:".length);
    const living = createServer();
    await new Promise<void>((resolve) => {
      living.listen(path, resolve);
    });
    await expect(serve(address)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await new Promise((resolve) => {
      living.close(resolve);
    });
    await serve(address);
  });

  test.each(["", "unix:", "http://127.0.0.1:1/path", "tcp://x", `unix:/${"x".repeat(200)}`])(
    "refuses the address %j",
    (address) => {
      expect(() => httpTransport(address)).toThrow(/write unix:\/run\/db.sock or http:\/\/127.0.0.1:4100\//);
    },
  );
});
