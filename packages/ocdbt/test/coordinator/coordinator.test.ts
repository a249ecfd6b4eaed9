import { MessageChannel } from "node:worker_threads";
import { type KvStore, memoryKvStore, withFaults } from "@pcg/kvstore";
import { afterEach, describe, expect, test, vi } from "vitest";
import { recordKey } from "../../src/coordinator/done-before.ts";
import { LEASE_KEY, readLease } from "../../src/coordinator/lease.ts";
import { undelivered } from "../../src/coordinator/transport.ts";
import {
  Coordinator,
  coordinatedCommitter,
  expire,
  type Mutation,
  type OcdbtDatabase,
  OcdbtError,
  openOcdbt,
  type Port,
  portTransport,
  servePort,
  type Transport,
} from "../../src/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const put = (key: string, value: string): Mutation => ({ op: "put", key: text(key), value: text(value) });
const config = { maxInlineValueBytes: 8 };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A coordinator that leads, over a store of its own view of the same data. */
async function startCoordinator(store: KvStore, leaseMs = 10_000): Promise<Coordinator> {
  const db = await openOcdbt(store, { config });
  const leading = deferred();
  const coordinator = new Coordinator({
    store,
    committer: db.parts.committer,
    manifests: db.parts.manifests,
    address: "test:",
    leaseMs,
    onLeading: (is) => is && leading.resolve(undefined),
  });
  coordinator.start();
  cleanups.push(() => coordinator.stop().catch(() => {}));
  await leading.promise;
  return coordinator;
}

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve!: (value: unknown) => void;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Straight into the coordinator, and for faults on the way: before it hears, or after it answered. */
function directTransport(
  coordinator: Coordinator,
  fault?: (send: number) => "lost" | "answer-lost" | undefined,
): Transport {
  let sent = 0;
  const lost = (): Error => new OcdbtError("unavailable", "no answer");
  return {
    send: async (message) => {
      const what = fault?.(sent++);
      if (what === "lost") throw lost();
      const answer = await coordinator.answer(message);
      if (what === "answer-lost") throw lost();
      return answer;
    },
    close: async () => {},
  };
}

function openClient(store: KvStore, connect: () => Transport | undefined): Promise<OcdbtDatabase> {
  return openOcdbt(store, { config, committer: coordinatedCommitter({ connect }) });
}

async function generation(store: KvStore): Promise<bigint> {
  return (await (await openOcdbt(store)).head())?.generation ?? 0n;
}

async function textAt(store: KvStore, key: string): Promise<string | undefined> {
  const found = await (await openOcdbt(store)).read(key);
  return found && new TextDecoder().decode(found.value);
}

describe("the coordinator", () => {
  test("makes one version of what several clients ask for together", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => openClient(store, () => directTransport(coordinator))),
    );
    await Promise.all(
      clients.map((client, i) => client.apply([put(`key${i}`, `a value longer than a node takes ${i}`)])),
    );
    const before = await generation(store);
    await Promise.all(
      clients.map((client, i) => client.apply([put(`key${i}`, `another, as long as the first was ${i}`)])),
    );
    expect((await generation(store)) - before).toBeLessThanOrEqual(2n);
    for (let i = 0; i < 8; i++) expect(await textAt(store, `key${i}`)).toBe(`another, as long as the first was ${i}`);
  });

  test("commits many keys and deleted ranges together, or none of them", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const client = await openClient(store, () => directTransport(coordinator));
    await client.apply([put("a", "1"), put("b", "2"), put("c", "3")]);
    const refused = await client.apply([
      { op: "deleteRange", start: text("a"), end: text("c") },
      { op: "put", key: text("c"), value: text("4"), ifGeneration: null },
    ]);
    expect(refused.head).toBeUndefined();
    expect(await textAt(store, "a")).toBe("1");
    await client.apply([{ op: "deleteRange", start: text("a"), end: text("c") }, put("c", "4")]);
    expect([await textAt(store, "a"), await textAt(store, "b"), await textAt(store, "c")]).toEqual([
      undefined,
      undefined,
      "4",
    ]);
  });

  test("does a request once when its answer was lost and it is sent again", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const client = await openClient(store, () =>
      directTransport(coordinator, (send) => (send === 0 ? "answer-lost" : undefined)),
    );
    const receipt = await client.apply([{ op: "put", key: text("a"), value: text("1"), ifGeneration: null }]);
    expect(receipt.applied).toEqual([true]);
    expect(await generation(store)).toBe(receipt.head?.generation);
  });

  test("is not needed: without one, or out of reach, clients commit themselves", async () => {
    const store = memoryKvStore();
    const client = await openClient(store, () => undefined);
    await client.apply([put("a", "1")]);
    expect(await textAt(store, "a")).toBe("1");
    const coordinator = await startCoordinator(store);
    const cutOff = await openClient(store, () => directTransport(coordinator, () => "lost"));
    await cutOff.apply([put("b", "2")]);
    expect(await textAt(store, "b")).toBe("2");
  });

  test.each(["a value", undefined])(
    "a client that never heard the answer finds its commit in the database when the coordinator is gone (leaving %s)",
    async (left) => {
      const store = memoryKvStore();
      const coordinator = await startCoordinator(store);
      const setUp = await openClient(store, () => directTransport(coordinator));
      await setUp.apply([put("a", "1"), ...(left === undefined ? [] : [put("rest", left)])]);
      const before = await generation(store);
      const client = await openClient(store, () => directTransport(coordinator, () => "answer-lost"));
      // Deleting the only key leaves an empty tree, which has no root node to keep the record behind.
      const receipt = await client.apply([{ op: "deleteRange", start: text("a"), end: text("b") }]);
      expect(receipt.head?.generation).toBe(before + 1n);
      expect(await generation(store)).toBe(before + 1n);
      expect(await textAt(store, "a")).toBeUndefined();
    },
  );

  test("once fenced, commits nothing that it took in before", async () => {
    const store = memoryKvStore();
    const hold = deferred();
    const held = deferred();
    let holding = false;
    const slow = withFaults(store, ({ kind, key }) => {
      // Between its look at the lease and the manifest: the data file of its commit.
      if (!holding || kind !== "write" || key === undefined || !new TextDecoder().decode(key).startsWith("d/"))
        return undefined;
      held.resolve(undefined);
      return { kind: "delay", until: hold.promise };
    });
    const coordinator = await startCoordinator(slow);
    const first = await openClient(store, () => directTransport(coordinator));
    await first.apply([put("a", "1")]);
    holding = true;
    const stuck: Transport = {
      send: (message) => {
        void coordinator.answer(message);
        return held.promise.then(() => {
          throw new OcdbtError("unavailable", "no answer");
        });
      },
      close: async () => {},
    };
    const client = await openClient(store, () => stuck);
    const receipt = await client.apply([put("a", "2")]);
    const other = await openClient(store, () => undefined);
    await other.apply([put("a", "3")]);
    holding = false;
    hold.resolve(undefined);
    await coordinator.stop();
    expect(await textAt(store, "a")).toBe("3");
    expect(await generation(store)).toBe(receipt.head!.generation + 1n);
  });

  test("what a client was told not to have happened does not happen later", async () => {
    const store = memoryKvStore();
    const hold = deferred();
    const held = deferred();
    let holding = false;
    // Stands still right before it replaces the manifest, with the lease looked at.
    const slow = withFaults(store, ({ kind, key }) => {
      if (!holding || kind !== "write" || key === undefined || new TextDecoder().decode(key) !== "manifest.ocdbt")
        return undefined;
      held.resolve(undefined);
      return { kind: "delay", until: hold.promise };
    });
    const coordinator = await startCoordinator(slow);
    const first = await openClient(store, () => directTransport(coordinator));
    await first.apply([put("lock", "x")]);
    const { generation: mine } = (await first.read("lock"))!;
    holding = true;
    // One releases the lock; another takes it if it is free, hears nothing, and asks the database itself.
    const release = first.write("lock", null, { ifGeneration: mine }).catch((error: unknown) => error);
    let late: Promise<Uint8Array> | undefined;
    const silent: Transport = {
      send: (message) => {
        late ??= coordinator.answer(message);
        return held.promise.then(() => {
          throw new OcdbtError("unavailable", "no answer");
        });
      },
      close: async () => {},
    };
    const other = await openClient(store, () => silent);
    const { written } = await other.write("lock", text("y"), { ifGeneration: null });
    holding = false;
    hold.resolve(undefined);
    await Promise.all([release, late]);
    await coordinator.stop();
    expect(await textAt(store, "lock")).toBe(written ? "y" : (await release) instanceof Error ? "x" : undefined);
  });

  test("once fenced, commits nothing that it took in before, even when it leads again", async () => {
    const store = memoryKvStore();
    const hold = deferred();
    const held = deferred();
    let holding = false;
    // Stands still at the tree it is to change, after its look at the lease.
    const slow = withFaults(store, ({ kind, key }) => {
      if (!holding || kind !== "read" || key === undefined || !new TextDecoder().decode(key).startsWith("d/"))
        return undefined;
      held.resolve(undefined);
      return { kind: "delay", until: hold.promise };
    });
    const coordinator = await startCoordinator(slow, 40);
    const first = await openClient(store, () => directTransport(coordinator));
    await first.apply([put("a", "1"), put("b", "1")]);
    const other = await openClient(store, () => undefined);
    await other.apply([put("b", "2")]);
    let late: Promise<Uint8Array> | undefined;
    const silent: Transport = {
      send: (message) => {
        holding = true;
        late ??= coordinator.answer(message);
        return held.promise.then(() => {
          throw new OcdbtError("unavailable", "no answer");
        });
      },
      close: async () => {},
    };
    const client = await openClient(store, () => silent);
    const receipt = await client.apply([{ op: "delete", key: text("a") }]);
    await other.apply([put("a", "3")]);
    holding = false;
    await vi.waitUntil(async () => coordinator.leading && (await readLease(store))?.record.epoch === 3);
    hold.resolve(undefined);
    await late;
    expect(await textAt(store, "a")).toBe("3");
    expect(await generation(store)).toBe(receipt.head!.generation + 1n);
  });

  test("keeps the order of commits that one client does not wait for, in few messages", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    let sends = 0;
    const client = await openClient(store, () =>
      directTransport(coordinator, () => {
        sends++;
        return undefined;
      }),
    );
    await Promise.all(Array.from({ length: 50 }, (_, i) => client.write("a", text(`longer than a node takes ${i}`))));
    expect(await textAt(store, "a")).toBe("longer than a node takes 49");
    expect(sends).toBeLessThanOrEqual(2);
    let files = 0;
    for await (const _ of store.list({ prefix: "d/" })) files++;
    // The values of a batch share a file.
    expect(files).toBeLessThanOrEqual(4);
  });

  test("that never answers keeps nobody waiting: the client does it itself after its time", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const deaf: Transport = { send: () => new Promise(() => {}), close: async () => {} };
    const client = await openOcdbt(store, {
      config,
      committer: coordinatedCommitter({ connect: () => deaf, timeoutMs: 20, attempts: 2 }),
    });
    await client.apply([put("a", "1")]);
    expect(await textAt(store, "a")).toBe("1");
    expect((await readLease(store))?.record.epoch).toBe(2);
    await coordinator.stop();
  });

  test("a call that is given up rejects at once, whatever the coordinator does", async () => {
    const store = memoryKvStore();
    await startCoordinator(store);
    const deaf: Transport = { send: () => new Promise(() => {}), close: async () => {} };
    const client = await openClient(store, () => deaf);
    const controller = new AbortController();
    const commit = client.apply([put("a", "1")], { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 10);
    await expect(commit).rejects.toThrow("enough");
  });

  test("one that only we cannot reach keeps its lease, and is not tried again at once", async () => {
    const store = memoryKvStore();
    await startCoordinator(store);
    let tries = 0;
    const client = await openClient(store, () => ({
      send: async () => {
        tries++;
        throw undelivered("no route to host");
      },
      close: async () => {},
    }));
    for (const value of ["1", "2", "3"]) await client.apply([put("a", value)]);
    expect(await textAt(store, "a")).toBe("3");
    expect(tries).toBe(1);
    expect((await readLease(store))?.record.epoch).toBe(1);
  });

  test("clears away records that are of no use to anybody any more", async () => {
    const store = memoryKvStore();
    const db = await openClient(store, () => undefined);
    const { head } = await db.apply([put("a", "1")]);
    const day = 86_400_000_000_000n;
    const old = recordKey({ generation: 1n, commitTime: head!.commitTime - day - 1n });
    const recent = recordKey({ generation: 2n, commitTime: head!.commitTime - day });
    for (const key of [old, recent, "coordinator/records/notes"]) await store.write(key, text("x"));
    await startCoordinator(store);
    await vi.waitUntil(async () => (await store.read(old)) === undefined);
    expect(await store.read(recent)).toBeDefined();
    expect(await store.read("coordinator/records/notes")).toBeDefined();
  });

  test("one that stands by refuses, and the one that leads is not disturbed", async () => {
    const store = memoryKvStore();
    await startCoordinator(store);
    const db = await openOcdbt(store, { config });
    const standby = new Coordinator({ ...db.parts, address: "test:" });
    const client = await openClient(store, () => directTransport(standby));
    await client.apply([put("a", "1")]);
    expect(await textAt(store, "a")).toBe("1");
    expect((await readLease(store))?.record.epoch).toBe(1);
  });

  test("readers of the same handle see at once what they wrote, however old an answer may be", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const client = await openOcdbt(store, {
      config,
      maxStalenessMs: 60_000,
      committer: coordinatedCommitter({ connect: () => directTransport(coordinator) }),
    });
    for (const value of ["1", "2", "3"]) {
      await client.write("a", text(value));
      expect(new TextDecoder().decode((await client.read("a"))?.value)).toBe(value);
    }
  });

  test("whether a commit was made is said to be unknown when the versions that would tell have expired", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const other = await openClient(store, () => undefined);
    await other.apply([put("b", "1")]);
    const client = await openClient(store, () => directTransport(coordinator, () => "answer-lost"));
    const answered = vi.spyOn(coordinator, "answer").mockImplementation(async (message) => {
      answered.mockRestore();
      const answer = await coordinator.answer(message);
      await other.apply([put("b", "2")]);
      await expire(other, { keepLast: 1 });
      return answer;
    });
    await expect(client.apply([put("a", "1")])).rejects.toMatchObject({ code: "ambiguous" });
    expect(await textAt(store, "a")).toBe("1");
  });

  test("a second one waits, and takes over when the first has died", async () => {
    const store = memoryKvStore();
    let alive = true;
    const dying = withFaults(store, () => (alive ? undefined : { kind: "fail", thenCrash: true }));
    const first = await startCoordinator(dying, 40);
    alive = false;
    const second = await startCoordinator(store, 40);
    expect(second.leading).toBe(true);
    expect((await readLease(store))?.record).toMatchObject({ holder: second.holder, epoch: 2 });
    await first.stop().catch(() => {});
  });

  test("answers through a message port", async () => {
    const store = memoryKvStore();
    const coordinator = await startCoordinator(store);
    const { port1, port2 } = new MessageChannel();
    const stop = servePort(port1 as unknown as Port, coordinator);
    const client = await openClient(store, () => portTransport(port2 as unknown as Port));
    await client.apply([put("a", "1")]);
    expect(await textAt(store, "a")).toBe("1");
    stop();
    port2.close();
  });

  test("refuses in words what is no request", async () => {
    const coordinator = await startCoordinator(memoryKvStore());
    const answer = Buffer.from(await coordinator.answer(Uint8Array.from([9, 9, 9]))).toString();
    expect(answer).toContain("protocol is 9");
  });

  test("a lost lease object is an error that says what to do", async () => {
    const store = memoryKvStore();
    await store.write(LEASE_KEY, text("{torn"));
    const client = await openClient(store, () => undefined);
    await expect(client.apply([put("a", "1")])).rejects.toThrow(/lease.json: it is not JSON; delete it/);
  });
});
