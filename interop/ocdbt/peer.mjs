/**
 * Our side of the OCDBT interop tests: reads one JSON command per line, answers one JSON line each. A database is named by
 * TensorStore's JSON spec without a version; keys and values are hex; commit times and generations are decimal texts.
 *
 *   {"op":"commit","spec":…,"commits":[[mutation…]…]}   a version each; per commit and mutation whether it was applied
 *        mutation: {"op":"put","key":…,"value":…,"when":"same"|"absent"|"other"} | {"op":"delete","key":…,"when":…}
 *                  | {"op":"deleteRange","start":…,"end":…|null}
 *   {"op":"versions","spec":…}                           [[generation, commit time]…], oldest first
 *   {"op":"digests","spec":…,"pins":[pin…]}              of the whole content at each pin: null, {"generation":…} or {"time":…}
 *   {"op":"content","spec":…,"pin":pin}                  [[key, value]…]
 *   {"op":"specDigest","spec":…}                         of what a spec opens, version and path included
 *   {"op":"list","spec":…,"pin":pin,"start":…,"end":…}   keys in order
 *   {"op":"adopt","spec":…,"child":spec,"folder":…,"under":…}   one version: what the child
 *        added since its first version, below a prefix, by reference
 *   {"op":"fsck","spec":…}                               {"isSound":…,"findings":[…]}
 */
import { createHash } from "node:crypto";
import { fileDriver } from "../../packages/kvstore/dist/file.js";
import { keyBytes, openKvStoreSpec, withPrefix } from "../../packages/kvstore/dist/index.js";
import { configFromJson, diff, fsck, ocdbtDriver, openOcdbt, versions } from "../../packages/ocdbt/dist/index.js";
import { answerLines } from "../answer-lines.mjs";

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (value) => Buffer.from(value).toString("hex");
const drivers = { ...fileDriver(), ...ocdbtDriver() };

const operations = {
  commit: ({ spec, commits }) =>
    using(spec, async (db) => {
      const prefix = keyBytes(spec.path ?? "");
      const applied = [];
      for (const mutations of commits) {
        const made = await Promise.all(mutations.map((mutation) => mutationOf(db, prefix, mutation)));
        const receipt = await db.apply(made, { atomic: mutations.every(({ when }) => when === undefined) });
        applied.push(receipt.applied);
      }
      return applied;
    }),

  versions: ({ spec }) =>
    using(spec, async (db) => {
      const found = [];
      for await (const { generation, commitTime } of versions(db)) found.unshift([`${generation}`, `${commitTime}`]);
      return found;
    }),

  digests: ({ spec, pins }) =>
    using(spec, async (db) => {
      const digests = [];
      for (const pin of pins) digests.push(await digestOf(await viewOf(db, spec, pin)));
      return digests;
    }),

  content: ({ spec, pin }) =>
    using(spec, async (db) => {
      const entries = [];
      for await (const [key, value] of entriesOf(await viewOf(db, spec, pin))) entries.push([hex(key), hex(value)]);
      return entries;
    }),

  async specDigest({ spec }) {
    const store = await openKvStoreSpec(spec, drivers);
    try {
      return await digestOf(store);
    } finally {
      await store.close();
    }
  },

  list: ({ spec, pin, start, end }) =>
    using(spec, async (db) => {
      const keys = [];
      const range = { start: bytes(start), ...(end === null ? {} : { end: bytes(end) }) };
      for await (const { key } of (await viewOf(db, spec, pin)).list({ range })) keys.push(hex(key));
      return keys;
    }),

  adopt: ({ spec, child, folder, under }) =>
    using(spec, (db) =>
      using(child, async (from) => {
        const mutations = [];
        // Its first version has nothing that is wanted, so that what was added since has its place named.
        for await (const { key, after } of diff(from, { generation: 1n })) {
          mutations.push({ op: "put", key: Buffer.concat([bytes(under), key]), value: inFolder(after, folder) });
        }
        return (await db.apply(mutations)).applied.length;
      }),
    ),

  fsck: ({ spec }) =>
    using(spec, async (db) => {
      const { isSound, findings } = await fsck(db, { deep: true });
      return { isSound, findings: findings.map(({ code, message }) => `${code}: ${message}`) };
    }),
};

async function using(spec, use) {
  const { value_data_prefix: value, btree_node_data_prefix: btree, version_tree_node_data_prefix: versionTree } = spec;
  const db = await openOcdbt(await openKvStoreSpec(spec.base, drivers), {
    config: configFromJson(spec.config ?? {}),
    ...(spec.manifest === undefined ? {} : { manifestStore: await openKvStoreSpec(spec.manifest, drivers) }),
    ...(value === undefined ? {} : { dataPrefix: { value, btree, "version-tree": versionTree } }),
  });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

async function viewOf(db, { path = "" }, pin) {
  const at =
    pin === null ? db : await db.at(pin.time === undefined ? { generation: BigInt(pin.generation) } : pinTime(pin));
  return path === "" ? at : withPrefix(at, path);
}

const pinTime = ({ time }) => ({ time: BigInt(time) });

async function mutationOf(db, prefix, { op, key, value, when, start, end }) {
  const full = (part) => Buffer.concat([prefix, bytes(part)]);
  if (op === "deleteRange") return { op, start: full(start), ...(end === null ? {} : { end: full(end) }) };
  const condition = when === undefined ? {} : { ifGeneration: await generationFor(db, full(key), when) };
  return { op, key: full(key), ...(op === "put" ? { value: bytes(value) } : {}), ...condition };
}

async function generationFor(db, key, when) {
  if (when === "absent") return null;
  const current = (await db.read(key))?.generation ?? null;
  return when === "same" ? current : `${current}0`;
}

async function* entriesOf(store) {
  const keys = await collected(store.list());
  const found = await Promise.all(keys.map(({ key }) => store.read(key)));
  for (const [i, { key, size }] of keys.entries()) {
    if (found[i].value.length !== size) throw new Error(`${hex(key)} is listed with ${size} bytes`);
    yield [key, found[i].value];
  }
}

async function digestOf(store) {
  const hash = createHash("sha256");
  const length = Buffer.alloc(8);
  for await (const [key, value] of entriesOf(store)) {
    length.writeUInt32LE(key.length, 0);
    length.writeUInt32LE(value.length, 4);
    hash.update(length).update(key).update(value);
  }
  return hash.digest("hex");
}

function inFolder(value, folder) {
  if (value instanceof Uint8Array) return value;
  const { basePath, relativePath } = value.file;
  return { ...value, file: { basePath: folder + basePath, relativePath } };
}

async function collected(items) {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

await answerLines(operations);
