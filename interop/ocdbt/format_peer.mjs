/**
 * Our format code in the OCDBT interop tests: reads one JSON command per line, answers one JSON line each. Bytes are base64.
 *
 *   {"op":"dump","bytes":…,"basePath":…}      the structure as JSON
 *   {"op":"encodeAgain","bytes":…}            decoded and encoded, in the compression it had
 *   {"op":"build","entries":[[key,value]…],"config":…,"file":name}
 *        one data file with a tree of these entries, and a manifest whose version 1 is that tree
 */
import { dump } from "../../packages/ocdbt/dist/dump.js";
import {
  decodeBtreeNode,
  decodeManifest,
  decodeVersionNode,
  encodeBtreeNode,
  encodeManifest,
  encodeNodes,
  encodeVersionNode,
  envelopeKind,
  InteriorBuilder,
  LeafBuilder,
} from "../../packages/ocdbt/dist/format/index.js";
import { answerLines } from "../answer-lines.mjs";

const operations = {
  async dump({ bytes, basePath = "" }) {
    return await dump(Buffer.from(bytes, "base64"), { basePath });
  },

  async encodeAgain({ bytes }) {
    const stored = Buffer.from(bytes, "base64");
    return Buffer.from(await encodeAgain(stored)).toString("base64");
  },

  async build({ entries, config, file: relativePath }) {
    const file = { basePath: "", relativePath };
    const data = [];
    let offset = 0;
    const append = (bytes) => {
      data.push(bytes);
      const reference = { file, offset, length: bytes.length };
      offset += bytes.length;
      return reference;
    };
    const leaves = new LeafBuilder();
    for (const [key, text] of entries) {
      const value = Buffer.from(text, "base64");
      leaves.add(Buffer.from(key, "base64"), value.length > config.maxInlineValueBytes ? append(value) : value);
    }
    let row = leaves.finish();
    let root;
    while (root === undefined) {
      const nodes = await encodeNodes(row, config, { mayBeRoot: true });
      const references = nodes.map(({ bytes, height, statistics }) => ({
        location: append(bytes),
        height,
        statistics,
      }));
      if (nodes.length === 1) root = references[0];
      const above = new InteriorBuilder(row.height + 1);
      for (const [i, node] of nodes.entries()) above.add(node.firstKey, node.excluded, references[i]);
      row = above.finish();
    }
    const version = { generation: 1n, root, commitTime: BigInt(Date.now()) * 1_000_000n };
    const manifest = await encodeManifest({ config, versions: [version], versionNodes: [] });
    return { manifest: Buffer.from(manifest).toString("base64"), data: Buffer.concat(data).toString("base64") };
  },
};

async function encodeAgain(bytes) {
  const compression = bytes[13] === 0 ? null : { id: "zstd", level: 0 };
  switch (envelopeKind(bytes)) {
    case "manifest":
      return await encodeManifest(await decodeManifest(bytes));
    case "versionNode":
      return await encodeVersionNode(await decodeVersionNode(bytes), compression);
    default:
      return await encodeBtreeNode(await decodeBtreeNode(bytes), { compression });
  }
}

await answerLines(operations);
