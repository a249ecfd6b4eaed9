import { publicApi } from "@pcg/testkit";
import { expect, test } from "vitest";

test("the public surface is what it was", async () => {
  expect(await publicApi(new URL("../", import.meta.url))).toMatchInlineSnapshot(`
    {
      ".": [
        "GraphError",
        "checkGraph",
        "decodeSettings",
        "isGraphError",
        "level2Path",
        "lineageUntil",
        "minimalCover",
        "openGraph",
        "rootMapping",
        "validBetween",
      ],
      "./export": [
        "exportObjects",
        "exportTasks",
      ],
      "./ids": [
        "ChunkGrid",
        "IdLayout",
        "LAYER_BITS",
        "halves",
        "layerCount",
        "layerOf",
        "sortedDistinct",
      ],
      "./ingest": [
        "checkIngest",
        "defaultChunkSize",
        "finishedIngest",
        "ingest",
        "voxelTasks",
      ],
    }
  `);
});
