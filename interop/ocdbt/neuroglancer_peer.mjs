/**
 * Neuroglancer's own OCDBT reader (the modules of its npm package, as its workers run them) over HTTP: reads one JSON command
 * per line, answers one JSON line each. What it needs of the page is stood in for: fetching, memoising, and the worker for zstd.
 *
 *   {"op":"versions","url":folder}                generations, oldest first
 *   {"op":"values","url":folder,"version":…,"keys":[key…]}    {key: value|null}; version as in its URLs: "v12", a time
 *
 * Keys are read, not listed: its list passes over a folder's last node when that has keys of the next folder too.
 */
import { createRequire, register } from "node:module";
import { pathToFileURL } from "node:url";
import { zstdDecompress } from "../../packages/codecs/dist/zstd.js";
import { answerLines } from "../answer-lines.mjs";

register("./neuroglancer_hooks.mjs", import.meta.url);
globalThis.navigator ??= { userAgent: "", platform: "", hardwareConcurrency: 1 };
globalThis.Worker = class {
  constructor() {
    queueMicrotask(() => this.onmessage({ data: "ready" }));
  }

  async postMessage({ t, id, args }) {
    if (t !== "decodeZstd") throw new Error(`the reader asked for ${t}`);
    this.onmessage({ data: { id, value: await zstdDecompress(args[0], { maxBytes: 2 ** 28 }) } });
  }
};

const require = createRequire(new URL("../../apps/proofreader/package.json", import.meta.url));
const load = (name) => import(pathToFileURL(require.resolve(`neuroglancer/unstable/kvstore/ocdbt/${name}.js`)).href);
const { decodeManifest } = await load("manifest");
const { decodeBtreeNode } = await load("btree");
const { decodeVersionTreeNode } = await load("version_tree");
const { getResolvedManifest } = await load("metadata_cache");
const { readVersion } = await load("read_version");
const { listVersions } = await load("list_versions");
const { parseVersion } = await load("version_specifier");
const { findEntryInRoot, readFromLeafNodeEntry } = await load("read");

/** Nodes, by place. Manifests are asked for anew. */
const nodes = new Map();

const context = {
  chunkManager: {
    memoize: {
      get: (name) => ({
        get: async ({ dataFile, baseUrl, relativePath, offset, length }) => {
          if (name === "ocdbt:manifest") return await decodeManifest(await bytesOf(baseUrl + relativePath), baseUrl);
          const { baseUrl: base, relativePath: path } = dataFile;
          const place = `${base}${path}:${offset}`;
          if (!nodes.has(place)) {
            const bytes = await bytesOf(base + path, { offset: Number(offset), length: Number(length) });
            nodes.set(place, await (name === "ocdbt:btree" ? decodeBtreeNode : decodeVersionTreeNode)(bytes, base));
          }
          return nodes.get(place);
        },
      }),
    },
  },
  kvStoreContext: {
    getKvStore: (url) => ({
      path: url,
      store: {
        async read(fullUrl, { byteRange }) {
          const bytes = await bytesOf(fullUrl, byteRange);
          return {
            response: new Response(bytes),
            offset: byteRange.offset,
            length: bytes.byteLength,
            totalSize: undefined,
          };
        },
      },
    }),
  },
};

async function bytesOf(url, range) {
  const headers = range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
  const response = await fetch(url, { headers });
  if (response.status !== (range === undefined ? 200 : 206)) throw new Error(`${response.status} for ${url}`);
  return await response.arrayBuffer();
}

await answerLines({
  async versions({ url }) {
    const { versions } = await listVersions(context, await getResolvedManifest(context, url, {}), {});
    return versions.map(({ generationNumber }) => Number(generationNumber)).sort((a, b) => a - b);
  },

  async values({ url, version, keys }) {
    const manifest = await getResolvedManifest(context, url, {});
    const found = await readVersion(context, manifest, parseVersion(version), {});
    if (found === undefined) throw new Error(`Version ${version} not found`);
    const read = async (key) => {
      const entry = await findEntryInRoot(context, found.ref, new TextEncoder().encode(key), {});
      return entry === undefined ? null : await (await readFromLeafNodeEntry(context, entry, {})).response.text();
    };
    return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await read(key)])));
  },
});
