import type { RunIngestReport } from "./run-ingest.ts";

/** The report for people. */
export function reportText(report: RunIngestReport): string {
  const { edges } = report;
  const number = (value: number): string => Math.round(value).toLocaleString("en");
  const lines: [string, string][] = [
    ["outcome", report.outcome],
    ["source", `${report.source}, scale ${report.scale}`],
    [
      "volume",
      `${report.size.join("×")} voxels from ${report.voxelOffset.join(", ")}, ${report.resolution.join("×")} nm`,
    ],
    [
      "chunks",
      `${number(report.chunks)} of ${report.chunkSize.join("×")} voxels, files of ${report.storageChunkSize.join("×")}`,
    ],
    ["supervoxels", `${number(report.supervoxels)} (${report.connectivity}-connected), ${report.layers} layers`],
    ["labels", `${number(report.labels)}, ${number(report.brokenLabels)} of them in several pieces`],
    [
      "objects",
      report.splitDisconnected
        ? `${number(report.roots)}: each piece is one`
        : `${number(report.roots)}: ${number(edges.joined)} edges join the pieces of labels`,
    ],
    [
      "edges",
      `${number(edges.inChunk)} in chunks, ${number(edges.betweenChunks)} between chunks, ${number(edges.crossChunk)} across (one label)`,
    ],
    ["time", `${report.seconds.toFixed(1)} s, ${number(report.voxelsPerSecond)} voxels/s`],
    ["memory", `${number(report.peakMemory / 2 ** 20)} MiB at most`],
  ];
  return lines.map(([name, value]) => `${name.padEnd(12)} ${value}`).join("\n");
}
