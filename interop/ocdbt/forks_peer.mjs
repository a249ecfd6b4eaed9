/**
 * Our side of the interop tests of forks, history and the gateway: reads one JSON command per line, answers one JSON line each. Keys
 * and values are text, folders absolute paths. `fork` and `folder` name a fork and, if it is outside of its base, its folder.
 *
 *   {"op":"create","base":…,"config":…}                            a database of one version
 *   {"op":"apply","base":…,"fork":…,"entries":{key:value|null}}    one version; the generation
 *   {"op":"contents","base":…,"fork":…,"version":…}                {key: value}
 *   {"op":"history","base":…,"fork":…}                             {generation: {key: value}}
 *   {"op":"generations","base":…,"fork":…}                         oldest first
 *   {"op":"fork","base":…,"fork":…,"version":…,"config":…}
 *   {"op":"spec","base":…,"fork":…}                                what is published
 *   {"op":"merge"|"update","base":…,"fork":…,"onConflict":…}       {merged, keys, conflicts}
 *   {"op":"restore","base":…,"version":…,"prefix":…}               of everything, or of a prefix
 *   {"op":"tag","base":…,"name":…,"version":…}
 *   {"op":"expire","base":…,"keepLast":…}
 *   {"op":"fsck","base":…,"fork":…}                                whether it is sound
 *   {"op":"serve","base":…,"fork":…}                               the URL of a gateway, the database under "db"
 */
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { fileKvStore } from "../../packages/kvstore/dist/file.js";
import { ocdbtGateway } from "../../packages/ocdbt/dist/gateway.js";
import {
  configFromJson,
  createTag,
  expire,
  fork,
  fsck,
  merge,
  openFork,
  openOcdbt,
  publishedSpec,
  restore,
  restoreKeys,
  updateFork,
  versions,
} from "../../packages/ocdbt/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

const text = (bytes) => Buffer.from(bytes).toString();
const pin = (version) => (typeof version === "string" ? { tag: version } : { generation: BigInt(version) });

const operations = {
  async create({ base, config }) {
    const db = await openOcdbt(await fileKvStore(base), { config: configFromJson(config) });
    await db.apply(
      ["first", "info"].map((key) => ({ op: "put", key: Buffer.from(key), value: Buffer.from("of all") })),
    );
    await db.close();
  },

  apply: (command) =>
    using(command, async (db) => {
      const mutations = Object.entries(command.entries).map(([key, value]) =>
        value === null
          ? { op: "delete", key: Buffer.from(key) }
          : { op: "put", key: Buffer.from(key), value: Buffer.from(value) },
      );
      return Number((await db.apply(mutations)).head.generation);
    }),

  contents: (command) =>
    using(
      command,
      async (db) => await contentsOf(command.version === undefined ? db : await db.at(pin(command.version))),
    ),

  history: (command) =>
    using(command, async (db) => {
      const history = {};
      for await (const { generation } of versions(db))
        history[generation] = await contentsOf(await db.at({ generation }));
      return history;
    }),

  generations: (command) =>
    using(command, async (db) => {
      const found = [];
      for await (const { generation } of versions(db)) found.unshift(Number(generation));
      return found;
    }),

  fork: (command) =>
    onBase(command, async (base, options) => {
      const version = command.version === undefined ? {} : { version: pin(command.version) };
      const config = command.config === undefined ? {} : { config: configFromJson(command.config) };
      await fork(base, command.fork, { ...options, ...version, ...config });
    }),

  spec: (command) =>
    onBase(command, async (base, options) => await publishedSpec(base.parts.store, command.fork, options)),

  merge: (command) =>
    onBase(command, async (base, options) =>
      told(await merge(base, command.fork, { ...options, onConflict: command.onConflict ?? "fail" })),
    ),

  update: (command) =>
    onBase(command, async (base, options) =>
      told(await updateFork(base, command.fork, { ...options, onConflict: command.onConflict ?? "fail" })),
    ),

  restore: ({ base, version, prefix }) =>
    using({ base }, async (db) => {
      if (prefix === undefined) await restore(db, pin(version));
      else await restoreKeys(db, pin(version), { prefix });
    }),

  tag: ({ base, name, version }) =>
    using({ base }, async (db) => {
      await createTag(db, name, pin(version));
    }),

  expire: ({ base, keepLast }) =>
    using({ base }, async (db) => {
      await expire(db, { keepLast });
    }),

  fsck: (command) => using(command, async (db) => (await fsck(db)).isSound),

  async serve(command) {
    const { db } = await opened(command);
    const handle = ocdbtGateway({ database: (name) => (name === "db" ? db : undefined) });
    const server = createServer(async (incoming, outgoing) => {
      const headers = new Headers(Object.entries(incoming.headers).filter(([, value]) => typeof value === "string"));
      const response = await handle(
        new Request(`http://${headers.get("host")}${incoming.url}`, { method: incoming.method, headers }),
      );
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      if (response.body === null) outgoing.end();
      else Readable.fromWeb(response.body).pipe(outgoing);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.unref();
    return `http://127.0.0.1:${server.address().port}/db/`;
  },
};

async function contentsOf(view) {
  const keys = [];
  for await (const { key } of view.list()) keys.push(key);
  const values = await Promise.all(keys.map(async (key) => [text(key), text((await view.read(key)).value)]));
  return Object.fromEntries(values);
}

async function opened({ base, fork: id, folder }) {
  const store = await fileKvStore(base);
  const options = folder === undefined ? {} : { folder: await fileKvStore(folder) };
  return { db: id === undefined ? await openOcdbt(store) : await openFork(store, id, options), store, ...options };
}

async function using(command, work) {
  const { db, store, folder } = await opened(command);
  try {
    return await work(db);
  } finally {
    await db.close();
    if (command.fork !== undefined) await store.close();
    await folder?.close();
  }
}

async function onBase({ base, folder }, work) {
  const db = await openOcdbt(await fileKvStore(base));
  const options = folder === undefined ? {} : { folder: await fileKvStore(folder) };
  try {
    return await work(db, options);
  } finally {
    await db.close();
    await options.folder?.close();
  }
}

function told({ merged, keys, conflicts }) {
  return { merged, keys: keys ?? null, conflicts: conflicts.map(({ key }) => text(key)) };
}

await answerLines(operations);
