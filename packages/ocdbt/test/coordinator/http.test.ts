import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { memoryKvStore } from "@pcg/kvstore";
import { describe, expect, onTestFinished, test } from "vitest";
import { LEASE_KEY } from "../../src/coordinator/lease.ts";
import { httpTransport, serveCoordinator } from "../../src/coordinator-http.ts";
import { type Answerer, coordinatedCommitter, type LeaseRecord, openOcdbt } from "../../src/index.ts";
import { buildChild } from "../support/child.ts";

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

  test("says why a socket cannot be made, of the path it was told and no other", async () => {
    const address = await socketAddress();
    const path = address.slice("unix:".length);
    await writeFile(path, "");
    const refused = [
      [
        `${address}.d/x.sock`,
        `cannot listen on ${path}.d/x.sock: there is no folder ${path}.d; make it, or listen elsewhere`,
      ],
      [`${address}/x.sock`, `cannot listen on ${path}/x.sock: ${path} is no folder; listen elsewhere`],
    ] as const;
    for (const [at, message] of refused) {
      await expect(serve(at)).rejects.toMatchObject({ code: "bad-spec", message });
    }
  });

  // The superuser may write everywhere.
  test.skipIf(process.getuid?.() === 0)("says when a folder may not be written", async () => {
    const address = await socketAddress();
    await chmod(dirname(address.slice("unix:".length)), 0o500);
    await expect(serve(address)).rejects.toThrow(/the folder .* may not be written; listen elsewhere/);
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
    await expect(serve(address)).rejects.toMatchObject({ code: "already-exists", fields: { path } });
    await new Promise((resolve) => {
      living.close(resolve);
    });
    await serve(address);
    await expect(serve(address)).rejects.toMatchObject({ code: "already-exists" });
  });

  test("does not replace what is no socket, and leaves nothing at its path when it ends", async () => {
    const address = await socketAddress();
    const path = address.slice("unix:".length);
    await writeFile(path, "notes");
    await expect(serve(address)).rejects.toMatchObject({ code: "already-exists", fields: { path } });
    expect(await readFile(path, "utf8")).toBe("notes");
    await rm(path);
    for (let i = 0; i < 3; i++) {
      const server = await serveCoordinator(() => reversing, { address });
      await server.close();
    }
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test("of many who start at once one listens, time and again", async () => {
    const address = await socketAddress();
    for (let round = 0; round < 10; round++) {
      const all = Array.from({ length: 6 }, () => serveCoordinator(() => reversing, { address }));
      const outcomes = await Promise.allSettled(all);
      const servers = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
      expect(servers).toHaveLength(1);
      const transport = httpTransport(address);
      expect([...(await transport.send(message))]).toEqual([3, 2, 1]);
      await transport.close();
      await servers[0]!.close();
    }
  });

  test("of processes that race for the socket of one that was killed, one serves it", { timeout: 60_000 }, async () => {
    const address = await socketAddress();
    const module = await buildChild("test/coordinator/processes/racer.ts");
    const start = async (): Promise<{ readonly child: ChildProcess; readonly said: string }> => {
      const child = spawn(process.execPath, [module, address], { stdio: ["ignore", "pipe", "inherit"] });
      const [said] = (await once(child.stdout!, "data")) as [Buffer];
      return { child, said: said.toString() };
    };
    const living = new Set<ChildProcess>();
    try {
      for (let round = 0; round < 3; round++) {
        const racers = await Promise.all(Array.from({ length: 5 }, start));
        for (const { child } of racers) living.add(child);
        expect(racers.map(({ said }) => said).sort()).toEqual([...Array(4).fill("already-exists"), "listens"]);
        const { child } = racers.find(({ said }) => said === "listens")!;
        const transport = httpTransport(address);
        expect(new TextDecoder().decode(await transport.send(message))).toBe(String(child.pid));
        await transport.close();
        // Its socket stays behind.
        child.kill("SIGKILL");
        await once(child, "close");
        living.delete(child);
        expect((await lstat(address.slice("unix:".length))).isSocket()).toBe(true);
      }
    } finally {
      for (const child of living) child.kill("SIGKILL");
    }
  });

  test("says how long the path of a socket may be", () => {
    expect(() => httpTransport(`unix:/${"x".repeat(200)}`)).toThrow(/has 201 bytes, and a socket's at most 100/);
  });

  test.each(["", "unix:", "http://127.0.0.1:1/path", "tcp://x"])("refuses the address %j", (address) => {
    expect(() => httpTransport(address)).toThrow(/write unix:\/run\/db.sock or http:\/\/127.0.0.1:4100\//);
  });
});
