import { readFile } from "node:fs/promises";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { dataFolder } from "@pcg/testkit";
import { openVolume, type Volume } from "@pcg/volume";
import { expect, test } from "vitest";
import { checkGraph } from "../../src/check/check-graph.ts";
import { Place, wholeBox } from "./harness.ts";
import { storedNodes } from "./oracle.ts";

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

async function openReal(folder: string): Promise<Volume> {
  return openVolume(folder, { open: (url) => openKvStore(url, fileDriver()) });
}

async function readFacts(folder: string): Promise<Facts> {
  return (JSON.parse(await readFile(`${folder}/facts.json`, "utf8")) as Record<string, Facts>)["8_8_40"]!;
}

/** That roots are the labels again: one for one, voxel by voxel, background included. */
async function checkVoxels(source: Volume, place: Place): Promise<void> {
  const supervoxels = (await place.openSupervoxels()).scales[0]!;
  const nodes = await storedNodes(place.rows);
  const rootOf = (id: bigint): bigint => {
    const parent = nodes.get(id)!.parent;
    return parent === undefined ? id : rootOf(parent);
  };
  const labelOf = new Map<bigint, bigint>([[0n, 0n]]);
  const rootOfLabel = new Map<bigint, bigint>();
  const labels = await source.scales[0]!.readLabels(wholeBox(source));
  const ids = (await supervoxels.read(wholeBox(source))) as BigUint64Array;
  let wrong = 0;
  for (let i = 0; i < ids.length; i++) {
    if (i > 0 && ids[i] === ids[i - 1] && labels[i] === labels[i - 1]) continue;
    const label = BigInt(labels[i]!);
    const known = labelOf.get(ids[i]!);
    if (known === undefined) {
      labelOf.set(ids[i]!, label);
      const root = rootOf(ids[i]!);
      if ((rootOfLabel.get(label) ?? root) !== root) wrong++;
      rootOfLabel.set(label, root);
    } else if (known !== label) wrong++;
  }
  expect(wrong).toBe(0);
  expect(new Set(rootOfLabel.values()).size).toBe(rootOfLabel.size);
}

for (const connectivity of [6, 26] as const) {
  for (const grid of [0, 1]) {
    test.skipIf(!folder)(
      `a real segmentation gives the known counts (grid ${grid}, connectivity ${connectivity})`,
      async () => {
        const facts = await readFacts(folder!);
        const { chunk_size: chunkSize, ...counts } = facts.chunked[grid]!;
        const source = await openReal(folder!);
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
        await checkVoxels(source, place);
        if (connectivity === 6) expect(report.pieces).toBe(facts.components["6"]);
        expect(report.edges.joined).toBe(report.pieces - report.labels);
      },
    );
  }
}

const large = dataFolder("segmentation");

test.skipIf(!large)(
  "a larger real segmentation gives the known counts with the chunks chosen for it",
  async () => {
    const facts = await readFacts(large!);
    const place = new Place();
    const report = await place.ingest(await openReal(large!));
    expect(report.chunkSize).toEqual(facts.chunked[1]!.chunk_size);
    const { supervoxels, cross_chunk_pairs: crossChunk } = facts.chunked[1]!.connectivity_26;
    expect(report).toMatchObject({ labels: facts.labels, roots: facts.labels, supervoxels, edges: { crossChunk } });
    expect((await checkGraph(place.rows)).violations).toEqual([]);
  },
  60_000,
);
