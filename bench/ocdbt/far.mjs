// Stores that are far away. `node far.mjs FOLDER MS` makes the database of `latency` in FOLDER if there is none, serves it, prints the URL,
// and answers each line on stdin with what has been asked since the line before.
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { openOcdbt } from "../../packages/ocdbt/dist/index.js";
import { config, KEYS, key, value512 } from "./measure.mjs";

export async function makeFarDatabase(store) {
  const db = await openOcdbt(store, { config });
  await db.apply(Array.from({ length: KEYS }, (_, i) => ({ op: "put", key: key(i), value: value512 })));
  await db.head();
}

/** What is asked, and when: the most requests of which each began after the one before had its answer are the depth. */
class Requests {
  #spans = [];

  async during(work) {
    const begin = performance.now();
    try {
      return await work();
    } finally {
      this.#spans.push({ begin, end: performance.now() });
    }
  }

  take() {
    const spans = this.#spans;
    this.#spans = [];
    let depth = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (const { begin, end } of spans.sort((a, b) => a.end - b.end)) {
      if (begin < last) continue;
      depth++;
      last = end;
    }
    return { requests: spans.length, depth };
  }
}

/** `store`, of which every answer takes `delay` ms. */
export function farStore(store, delay) {
  const requests = new Requests();
  const far = (work) =>
    requests.during(async () => {
      await wait(delay);
      return await work();
    });
  return {
    take: () => requests.take(),
    store: {
      capabilities: store.capabilities,
      url: store.url,
      spec: store.spec,
      read: (...args) => far(() => store.read(...args)),
      write: (...args) => far(() => store.write(...args)),
      deleteRange: (...args) => far(() => store.deleteRange(...args)),
      async *list(options) {
        await far(() => undefined);
        yield* store.list(options);
      },
      // The store outlives the databases in it.
      close: async () => {},
    },
  };
}

/** Serves the files of a folder, with ranges and generations, `delay` ms late. */
export async function serveFar(folder, delay) {
  const requests = new Requests();
  const server = createServer(async (request, response) => {
    // What is asked next, after the answer, begins after it.
    const { status, headers, bytes } = await requests.during(async () => {
      await wait(delay);
      return await answer(folder, request);
    });
    response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : bytes);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    take: () => requests.take(),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

async function answer(folder, { url, headers }) {
  const path = join(folder, decodeURIComponent(new URL(url, "http://x").pathname));
  if (!existsSync(path)) return { status: 404, headers: {} };
  const file = await open(path);
  try {
    const { size, mtimeMs } = await file.stat();
    const etag = `"${mtimeMs}-${size}"`;
    if (headers["if-none-match"] === etag) return { status: 304, headers: { etag } };
    const match = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
    const first = match === null ? 0 : Number(match[1]);
    const end = match?.[2] ? Math.min(size, Number(match[2]) + 1) : size;
    const bytes = Buffer.alloc(end - first);
    await file.read(bytes, 0, bytes.length, first);
    const common = { etag, "content-length": bytes.length };
    if (match === null) return { status: 200, headers: common, bytes };
    return { status: 206, headers: { ...common, "content-range": `bytes ${first}-${end - 1}/${size}` }, bytes };
  } finally {
    await file.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder, delay] = process.argv.slice(2);
  if (!existsSync(folder)) await makeFarDatabase(fileKvStore(folder, { fsync: false }));
  const server = await serveFar(folder, Number(delay));
  console.log(server.url);
  for await (const _ of createInterface(process.stdin)) console.log(JSON.stringify(server.take()));
  await server.close();
}
