/**
 * Neuroglancer's OCDBT reader in Node: reads one JSON command per line, answers one JSON line each. Its modules are bundled as they
 * are; of what surrounds them in a browser there is a base store that reads files, and decompression without a worker.
 *
 *   {"op":"read","url":"file:///db/|ocdbt:…","key":text}    base64 of the value, null when it is not found
 *   {"op":"list","url":"file:///db/|ocdbt:…","prefix":text} {"keys":[…],"folders":[…]} directly below the prefix
 */

import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { answerLines } from "../answer-lines.mjs";

const app = fileURLToPath(new URL("../../apps/proofreader/package.json", import.meta.url));
const library = dirname(createRequire(app).resolve("neuroglancer"));
const inPlace = join(library, "async_computation/in_place.js");

/** The parts that are used, and what takes the place of its worker. */
const modules = {
  [join(library, "reader_in_node.js")]: `
    import "#src/kvstore/ocdbt/register_backend.js";
    export { backendOnlyKvStoreProviderRegistry as registry } from "#src/kvstore/backend.js";
    export { KvStoreContext, } from "#src/kvstore/context.js";`,
  [inPlace]: `
    import Zstd from "numcodecs/zstd";
    const codec = Zstd.fromConfig({ id: "zstd" });
    export const requestAsyncComputation = (request, signal, transfer, data) => codec.decode(data);`,
};

async function loadReader() {
  const outDir = await mkdtemp(join(tmpdir(), "neuroglancer-reader-"));
  const entry = join(library, "reader_in_node.js");
  try {
    await build({
      configFile: false,
      root: dirname(library),
      logLevel: "error",
      plugins: [
        {
          name: "surroundings",
          enforce: "pre",
          resolveId: (id) => (id === "#src/async_computation/request.js" ? inPlace : id in modules ? id : undefined),
          load: (id) => modules[id],
        },
      ],
      ssr: { noExternal: true },
      build: {
        ssr: entry,
        outDir,
        minify: false,
        rolldownOptions: { output: { entryFileNames: "reader.mjs" } },
      },
    });
    // What a worker of a browser has around it.
    globalThis.self ??= globalThis;
    globalThis.navigator ??= { hardwareConcurrency: 1, userAgent: "node" };
    return await import(join(outDir, "reader.mjs"));
  } finally {
    await rm(outDir, { recursive: true });
  }
}

/** Files as a base store. */
const files = {
  scheme: "file",
  getKvStore: ({ suffix }) => ({ store: fileStore, path: decodeURIComponent(suffix.replace(/^\/\//, "")) }),
};
const fileStore = {
  getUrl: (path) => `file://${path}`,
  async stat(path) {
    return existsSync(path) ? { totalSize: (await stat(path)).size } : undefined;
  },
  async read(path, { byteRange }) {
    if (!existsSync(path)) return undefined;
    const whole = await readFile(path);
    const { offset, length } = byteRange ?? { offset: 0, length: whole.length };
    const part = whole.subarray(offset, offset + length);
    return { response: new Response(part), offset, length: part.length, totalSize: whole.length };
  },
  supportsOffsetReads: true,
  supportsSuffixReads: true,
};

// The reader listens to one signal once a node.
setMaxListeners(0);
const { KvStoreContext, registry } = await loadReader();

/** A context of its own for each question, since the reader keeps what it has read. */
function open(url) {
  const memoized = new Map();
  const chunkManager = {
    memoize: {
      get(name, make) {
        if (!memoized.has(name)) memoized.set(name, make());
        return memoized.get(name);
      },
    },
    queueManager: {
      sources: new Set(),
      updateChunkState(chunk, state) {
        chunk.state = state;
      },
      markRecentlyUsed() {},
      adjustCapacitiesForChunk() {},
      scheduleUpdate() {},
    },
    addRef() {
      return this;
    },
    dispose() {},
  };
  const shared = { kvStoreContext: new KvStoreContext(), chunkManager, addRef: () => shared, dispose() {} };
  shared.kvStoreContext.baseKvStoreProviders.set("file", files);
  registry.applyToContext(shared);
  return shared.kvStoreContext.getKvStore(url);
}

/** What the reader wants with every question. */
const options = () => ({
  signal: new AbortController().signal,
  progressListener: { addSpan() {}, removeSpan() {} },
});

await answerLines({
  async read({ url, key }) {
    const { store, path } = open(url);
    const found = await store.read(path + key, options());
    return found === undefined ? null : Buffer.from(await found.response.arrayBuffer()).toString("base64");
  },

  async list({ url, prefix }) {
    const { store, path } = open(url);
    const { entries, directories } = await store.list(path + prefix, options());
    const below = (name) => name.slice(path.length);
    return { keys: entries.map(({ key }) => below(key)), folders: directories.map(below) };
  },
});
