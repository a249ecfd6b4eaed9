import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkGraph, decodeSettings } from "@pcg/chunkedgraph";
import { openKvStore } from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { openLmdbRowStore } from "@pcg/rowstore/lmdb";
import { openVolume } from "@pcg/volume";
import { expect } from "vitest";

/** Everything in a table's folder, with the time of its ingest left out: what two ingests of one volume share. */
export interface TableContents {
  readonly rows: readonly string[];
  readonly files: readonly string[];
}

const SETTINGS_KEY = "s";

/** Reads a table and checks the graph and its voxels on the way. */
export async function readTable(folder: string): Promise<TableContents> {
  const rows = await openLmdbRowStore(join(folder, "rows"));
  const volume = await openVolume(join(folder, "supervoxels"), { open: (url) => openKvStore(url, fileDriver()) });
  try {
    expect((await checkGraph(rows, { voxels: volume.scales[0]! })).violations).toEqual([]);
    const cells: [key: string, column: string, time: bigint, value: Uint8Array][] = [];
    for await (const { key, cells: found } of rows.read({ ranges: [{ start: new Uint8Array(0) }] })) {
      for (const { family, qualifier, timestamp, value } of found) {
        cells.push([
          Buffer.from(key).toString("latin1"),
          `${family}:${Buffer.from(qualifier).toString("hex")}`,
          timestamp,
          value,
        ]);
      }
    }
    const settings = cells.find(([key]) => key === SETTINGS_KEY)![3];
    const { ingestTime } = decodeSettings(settings);
    const lines = cells.map(([key, column, time, value]) => {
      const text =
        key === SETTINGS_KEY
          ? Buffer.from(value).toString().replace(`${ingestTime}`, "T")
          : Buffer.from(value).toString("hex");
      return `${Buffer.from(key, "latin1").toString("hex")} ${column} ${time === ingestTime ? "T" : time} ${text}`;
    });
    return { rows: lines, files: await hashFiles(join(folder, "supervoxels")) };
  } finally {
    await volume.close();
    await rows.close();
  }
}

async function hashFiles(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    files.map(
      async (file) =>
        `${file.slice(folder.length)} ${createHash("sha256")
          .update(await readFile(file))
          .digest("hex")}`,
    ),
  );
}
