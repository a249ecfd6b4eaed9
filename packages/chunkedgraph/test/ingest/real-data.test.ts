import { readFile } from "node:fs/promises";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { dataFolder } from "@pcg/testkit";
import { openVolume } from "@pcg/volume";
import { expect, test } from "vitest";
import { checkGraph } from "../../src/check/check-graph.ts";
import { Place } from "./harness.ts";

const folder = dataFolder("segmentation-small");

interface Facts {
  readonly labels: number;
  readonly zero_voxels: number;
  readonly components: Record<"6" | "26", number>;
  readonly chunked: readonly {
    readonly chunk_size: [number, number, number];
    readonly connectivity_6: { readonly supervoxels: number; readonly cross_chunk_pairs: number };
    readonly connectivity_26: { readonly supervoxels: number; readonly cross_chunk_pairs: number };
  }[];
}

for (const connectivity of [6, 26] as const) {
  for (const grid of [0, 1]) {
    test.skipIf(!folder)(
      `a real segmentation gives the known counts (grid ${grid}, connectivity ${connectivity})`,
      async () => {
        const facts = (JSON.parse(await readFile(`${folder}/facts.json`, "utf8")) as Record<string, Facts>)["8_8_40"]!;
        const { chunk_size: chunkSize, ...counts } = facts.chunked[grid]!;
        const source = await openVolume(folder!, { open: (url) => openKvStore(url, fileDriver()) });
        const place = new Place();
        const report = await place.ingest(source, { chunkSize, connectivity });
        const expected = counts[`connectivity_${connectivity}`];
        expect(report).toMatchObject({
          labels: facts.labels,
          supervoxels: expected.supervoxels,
          roots: facts.labels,
          edges: { crossChunk: expected.cross_chunk_pairs },
        });
        const { violations } = await checkGraph(place.rows, { voxels: (await place.openSupervoxels()).scales[0]! });
        expect(violations).toEqual([]);
        if (connectivity === 6) expect(report.pieces).toBe(facts.components["6"]);
        expect(report.edges.joined).toBe(report.pieces - report.labels);
      },
    );
  }
}
