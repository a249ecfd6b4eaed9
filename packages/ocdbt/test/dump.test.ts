import { expect, test } from "vitest";
import { dump, formatReference, parseReference } from "../src/dump.ts";
import { isOcdbtError } from "../src/errors.ts";
import { encodeBtreeNode, encodeManifest, LeafBuilder, NO_STATISTICS } from "../src/format/index.ts";

const FILE = { basePath: "copied/", relativePath: "d/a b:c%\xff" };

test("bytes that are no text are given as base64 alone, text beside it", async () => {
  const builder = new LeafBuilder();
  builder.add(new TextEncoder().encode("größe"), Uint8Array.of(0xff, 0));
  builder.add(Uint8Array.of(0xfe), { file: FILE, offset: 7, length: 2 ** 40 });
  const bytes = await encodeBtreeNode(builder.finish(), { compression: null });
  const value = "value:copied/:d/a%20b%3Ac%25%FF:7:1099511627776";
  expect(await dump(bytes)).toEqual({
    height: 0,
    entries: [
      { key: "größe", key_base64: "Z3LDtsOfZQ==", inline_value_base64: "/wA=" },
      { key_base64: "/g==", indirect_value: value },
    ],
  });
  expect(parseReference(value)).toEqual({ label: "value", reference: { file: FILE, offset: 7, length: 2 ** 40 } });
});

test("64-bit numbers are texts, so that none is rounded", async () => {
  const largest = 2n ** 64n - 1n;
  const root = { location: undefined, height: 0, statistics: { ...NO_STATISTICS, numTreeBytes: largest } };
  const bytes = await encodeManifest({
    config: {
      uuid: "0f".repeat(16),
      manifestKind: "single",
      maxInlineValueBytes: 100,
      maxDecodedNodeBytes: 8_388_608,
      versionTreeArityLog2: 4,
      compression: { id: "zstd", level: 3 },
    },
    versions: [{ generation: 2n ** 60n + 1n, root, commitTime: largest }],
    versionNodes: [],
  });
  expect(JSON.parse(JSON.stringify(await dump(bytes)))).toEqual({
    config: {
      uuid: "0f".repeat(16),
      max_inline_value_bytes: 100,
      max_decoded_node_bytes: 8_388_608,
      version_tree_arity_log2: 4,
      compression: { id: "zstd", level: 3 },
    },
    versions: [
      {
        root: { statistics: { num_indirect_value_bytes: "0", num_tree_bytes: `${largest}`, num_keys: "0" } },
        generation_number: "1152921504606846977",
        root_height: 0,
        commit_time: `${largest}`,
      },
    ],
    version_tree_nodes: [],
  });
});

test("what begins no structure, and a text that is no reference, are refused", async () => {
  await expect(dump(new Uint8Array(100), { file: "d/0123" })).rejects.toSatisfy(
    (error) => isOcdbtError(error, "corrupt") && error.message.startsWith("d/0123 begins no"),
  );
  for (const text of ["", "value:d/a:0:1", "leaf::d/a:0:1", "value::d/a:-1:1", "value::d/a:9007199254740991:1"]) {
    expect(() => parseReference(text)).toThrow(expect.toSatisfy((error: unknown) => isOcdbtError(error, "bad-spec")));
  }
  expect(formatReference("btreenode", { file: { basePath: "", relativePath: "d/x" }, offset: 0, length: 1 })).toBe(
    "btreenode::d/x:0:1",
  );
});
