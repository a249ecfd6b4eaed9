import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the public names are what they were", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "ChunkGrid",
        "ENCODINGS",
        "PrecomputedError",
        "PrecomputedScale",
        "addScale",
        "encodeInfo",
        "isPrecomputedError",
        "openPrecomputed",
        "parseInfo",
        "readInfo",
        "writeInfo",
      ],
      "./codecs": [
        "chunkFormat",
        "decodeChunk",
        "decodeChunkRow",
        "encodeChunk",
        "encodeChunkPieces",
        "maxEncodedBytes",
      ],
      "./sharded": [
        "MAX_SHARD_BYTES",
        "ShardBuilder",
        "ShardedReader",
        "decodeMinishardIndex",
        "decodeShardIndex",
        "defaultSharding",
        "encodeMinishardIndex",
        "encodeShardIndex",
        "locate",
        "parseSharding",
        "shardIndexLength",
        "shardName",
        "shardShape",
        "shardsOf",
        "storedValues",
      ],
    }
  `);
});
