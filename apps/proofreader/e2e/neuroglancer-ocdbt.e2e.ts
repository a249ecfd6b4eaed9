/**
 * Neuroglancer's own page on volumes inside databases: `pcg-ocdbt` makes them, edits a fork, and serves both.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, mergeConfig, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import proofreaderPage from "../vite.config.mjs";
import { browserOptions } from "./browser.ts";

const program = fileURLToPath(new URL("../../ocdbt/dist/main.js", import.meta.url));
const SIZE = [128, 128, 16] as const;
const CHUNK = [64, 64, 16] as const;
/** Of the four chunks, row by row; ids have more bits than a JavaScript number keeps. */
const LABELS = [(1n << 60n) + 1n, (1n << 60n) + 2n, (1n << 60n) + 3n, 4n];
const EDITED = (1n << 60n) + 77n;

let folder: string;
let browser: Browser;
let page: PreviewServer;
const served: { url: string; stop: () => void }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pcg-neuroglancer-"));
  const database = join(folder, "db");
  await makeVolume(database);
  run("fork", database, "alice");
  await edit(database, "--fork", "alice");
  served.push(await serve(database), await serve(database, "--fork", "alice"));
  const outDir = join(folder, "page");
  const stock = {
    root: fileURLToPath(new URL("stock/", import.meta.url)),
    logLevel: "error",
    build: { outDir },
  } as const;
  await build({ configFile: false, ...mergeConfig(proofreaderPage, stock) });
  page = await preview({ configFile: false, root: folder, build: { outDir }, preview: { port: 0 }, logLevel: "error" });
  browser = await chromium.launch(browserOptions);
});

afterAll(async () => {
  await browser?.close();
  await page?.close();
  for (const { stop } of served) stop();
  await rm(folder, { recursive: true, force: true });
});

test("a volume in a database shows all its labels, at any version", async () => {
  const [base] = served;
  for (const version of ["head/ocdbt/|ocdbt:", "v1/ocdbt/|ocdbt:", "head/ocdbt/|ocdbt:@v1/"]) {
    const { labels, colours, problems } = await look(`${base!.url}/db/${version}`, version.replaceAll(/\W+/g, "-"));
    expect(labels, version).toEqual(LABELS.map(String));
    expect(new Set(colours).size, version).toBe(4);
    expect(problems, version).toEqual([]);
  }
});

test("a fork shows its edit, and what it has of its base", async () => {
  const [base, fork] = served;
  const head = await look(`${fork!.url}/db/head/ocdbt/|ocdbt:`, "fork-head");
  expect(head.labels).toEqual([...LABELS.slice(0, 3), EDITED].map(String));
  expect(head.problems).toEqual([]);
  const before = await look(`${base!.url}/db/head/ocdbt/|ocdbt:`, "fork-base");
  expect(head.colours.slice(0, 3)).toEqual(before.colours.slice(0, 3));
  expect(head.colours[3]).not.toBe(before.colours[3]);
});

/** Opens the volume at `url` and tells what is in the middle of each chunk: the label under the mouse, and the colour that is drawn. */
async function look(
  url: string,
  name: string,
): Promise<{ labels: (string | undefined)[]; colours: string[]; problems: string[] }> {
  const state = {
    layers: [
      {
        type: "segmentation",
        name: "labels",
        source: `${url}|neuroglancer-precomputed:`,
        notSelectedAlpha: 1,
        hideSegmentZero: false,
      },
    ],
    dimensions: { x: [8e-9, "m"], y: [8e-9, "m"], z: [4e-8, "m"] },
    position: [SIZE[0] / 2, SIZE[1] / 2, SIZE[2] / 2],
    crossSectionScale: 0.5,
    layout: "xy",
    showAxisLines: false,
    showScaleBar: false,
    showDefaultAnnotations: false,
  };
  const view = await browser.newPage({ viewport: { width: 900, height: 700 } });
  const problems: string[] = [];
  view.on(
    "console",
    (message) => message.type() === "error" && problems.push(`${message.text()} ${message.location().url}`),
  );
  view.on("pageerror", (error) => problems.push(String(error)));
  try {
    await view.goto(`${page.resolvedUrls!.local[0]}#!${encodeURIComponent(JSON.stringify(state))}`);
    await view.waitForFunction(() => "viewer" in window);
    await view.waitForFunction(() => (window as unknown as { viewer: { isReady(): boolean } }).viewer.isReady(), null, {
      timeout: 60_000,
    });
    await view.screenshot({ path: new URL(`.results/neuroglancer-${name}.png`, import.meta.url).pathname });
    const labels = [];
    const colours = [];
    for (const [x, y] of [
      [32, 32],
      [96, 32],
      [32, 96],
      [96, 96],
    ] as const) {
      const at = await pixelOf(view, x, y);
      labels.push(await labelAt(view, at));
      colours.push(await colourAt(view, at));
    }
    return { labels, colours, problems };
  } finally {
    await view.close();
  }
}

type Pixel = readonly [number, number];

function pixelOf(view: Page, x: number, y: number): Promise<Pixel> {
  return view.evaluate(
    ([x, y]) => {
      const { viewer } = window as unknown as {
        viewer: {
          navigationState: { position: { value: Float32Array }; zoomFactor: { value: number } };
          display: { panels: Set<{ element: HTMLElement }> };
        };
      };
      const panel = [...viewer.display.panels]
        .map(({ element }) => element.getBoundingClientRect())
        .sort((a, b) => b.width * b.height - a.width * a.height)[0]!;
      const [px, py] = viewer.navigationState.position.value;
      const scale = viewer.navigationState.zoomFactor.value;
      return [
        panel.left + panel.width / 2 + (x! - px!) / scale,
        panel.top + panel.height / 2 + (y! - py!) / scale,
      ] as const;
    },
    [x, y],
  );
}

/** What Neuroglancer itself says is there. */
async function labelAt(view: Page, [x, y]: Pixel): Promise<string | undefined> {
  await view.mouse.move(x - 6, y - 4);
  await view.mouse.move(x, y, { steps: 3 });
  const found = await view.waitForFunction(() => {
    const { viewer } = window as unknown as {
      viewer: {
        mouseState: { active: boolean; updateUnconditionally(): boolean };
        layerManager: { getLayerByName(name: string): { layer: object } };
        layerSelectedValues: { get(layer: object): { value?: unknown } | undefined };
      };
    };
    if (!viewer.mouseState.updateUnconditionally()) return undefined;
    const value = viewer.layerSelectedValues.get(viewer.layerManager.getLayerByName("labels").layer)?.value;
    return value === undefined || value === null ? undefined : String(value);
  });
  return await found.jsonValue();
}

async function colourAt(view: Page, [x, y]: Pixel): Promise<string> {
  const picture = await view.screenshot({
    clip: { x: Math.round(x) - 20, y: Math.round(y) - 20, width: 1, height: 1 },
  });
  return view.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = new OffscreenCanvas(1, 1).getContext("2d")!;
    canvas.drawImage(image, 0, 0);
    return canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).join();
  }, picture.toString("base64"));
}

/** A precomputed segmentation at the root of a database: four chunks of a label each. */
async function makeVolume(database: string): Promise<void> {
  const scale = { key: "8_8_40", size: SIZE, resolution: [8, 8, 40], chunk_sizes: [CHUNK], encoding: "raw" };
  const info = {
    "@type": "neuroglancer_multiscale_volume",
    type: "segmentation",
    data_type: "uint64",
    num_channels: 1,
    scales: [{ ...scale, voxel_offset: [0, 0, 0] }],
  };
  const puts = LABELS.map((label, i) => [keyOfChunk(i), chunkOf(label)] as const);
  const lines = [["info", Buffer.from(JSON.stringify(info))] as const, ...puts].map(([key, value]) =>
    JSON.stringify({
      op: "put",
      keyBase64: Buffer.from(key).toString("base64"),
      valueBase64: value.toString("base64"),
    }),
  );
  await writeFile(join(folder, "volume.jsonl"), lines.join("\n"));
  run("apply", database, join(folder, "volume.jsonl"));
}

async function edit(database: string, ...flags: string[]): Promise<void> {
  await writeFile(join(folder, "chunk"), chunkOf(EDITED));
  run("put", database, keyOfChunk(3), join(folder, "chunk"), ...flags);
}

function keyOfChunk(i: number): string {
  const [x, y] = [(i % 2) * CHUNK[0], Math.floor(i / 2) * CHUNK[1]];
  return `8_8_40/${x}-${x + CHUNK[0]}_${y}-${y + CHUNK[1]}_0-${CHUNK[2]}`;
}

function chunkOf(label: bigint): Buffer {
  return Buffer.from(new BigUint64Array(CHUNK[0] * CHUNK[1] * CHUNK[2]).fill(label).buffer);
}

function run(...args: string[]): void {
  execFileSync(process.execPath, [program, ...args], { stdio: "pipe" });
}

async function serve(database: string, ...flags: string[]): Promise<{ url: string; stop: () => void }> {
  const child = spawn(process.execPath, [program, "serve", database, "--port", "0", ...flags]);
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (data) => {
      output += data;
      const ready = /^ready (http:\S+?)\/db\//m.exec(output);
      if (ready) resolve(ready[1]!);
    });
    child.on("close", (code) => reject(new Error(`the gateway ended with ${code} before it was ready`)));
  });
  return { url, stop: () => child.kill("SIGTERM") };
}
