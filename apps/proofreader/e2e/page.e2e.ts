import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { openVolumeIn, type Scale } from "@pcg/volume";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { browserOptions } from "./browser.ts";
import { openPage } from "./page.ts";
import { type RunningServer, startProofreader } from "./server.ts";

type Voxel = [number, number, number];

let data: string;
let server: RunningServer;
let browser: Browser;
let labels: Scale;
let splits: { position: Voxel; labels: [string, string] }[];

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "pcg-page-"));
  server = await startProofreader("--data", data);
  browser = await chromium.launch(browserOptions);
  const source = join(data, "tutorial/source");
  const volume = await openVolumeIn(fileKvStore(join(source, "segmentation")), "neuroglancer-precomputed");
  labels = volume.scales[0]!;
  const truth = JSON.parse(await readFile(join(source, "ground-truth.json"), "utf8"));
  splits = truth.errors.filter((error: { kind: string }) => error.kind === "split");
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await rm(data, { recursive: true, force: true });
});

test("a newcomer merges two pieces by mouse, looks at the past, and comes back", async () => {
  const view = await openPage(browser, server.url);
  await view.page.getByRole("button", { name: "Start proofreading" }).click();
  await view.settle();
  await view.screenshot("1-first-look");

  const [here, there] = await twoSides();
  await view.goTo(between(here, there), 0.4);
  await view.select(here);
  await view.select(there);
  await view.screenshot("2-two-objects-selected");

  await view.page.locator("#merge").click();
  await expect.poll(() => view.page.locator("#merge").getAttribute("aria-pressed")).toBe("true");
  await view.placeMergePoint(here);
  await view.placeMergePoint(there);
  await view.screenshot("3-merge-line");
  await view.page.keyboard.press("Enter");
  await expect.poll(() => view.page.locator("#operations li").count(), { timeout: 20_000 }).toBe(1);
  await expect.poll(async () => (await view.selected()).length).toBe(1);
  const [merged] = await view.selected();
  await view.page.locator("#merge").click();
  await view.settle();
  await view.screenshot("4-merged");

  await view.page.getByRole("button", { name: "One operation back" }).click();
  await expect.poll(async () => (await view.selected()).length, { timeout: 20_000 }).toBe(2);
  expect(await view.selected()).not.toContain(merged);
  await expect.poll(() => view.page.locator("#moment").textContent()).toBe("Before merge #1");
  await view.settle();
  await view.screenshot("5-the-past");

  const link = view.page.url();
  const other = await openPage(browser, link);
  await other.settle();
  expect((await other.selected()).length).toBe(2);
  expect(await other.page.locator("#moment").textContent()).toBe("Before merge #1");
  expect(other.problems).toEqual([]);
  await other.page.close();

  await view.page.getByRole("button", { name: "Now", exact: true }).click();
  await expect.poll(() => view.selected(), { timeout: 20_000 }).toEqual([merged]);
  await view.settle();
  expect(view.problems).toEqual([]);
  await view.page.close();
});

test("an edit made elsewhere appears by itself, and its entry leads to its place", async () => {
  const view = await openPage(browser, server.url);
  await view.page.getByRole("button", { name: "Start proofreading" }).click();
  await view.settle();
  const before = await view.page.locator("#operations li").count();
  const [here, there] = await twoSides(1);
  await view.goTo(between(here, there), 0.4);
  await view.select(here);
  await view.select(there);

  await mergeElsewhere(here, there);
  await expect.poll(() => view.page.locator("#operations li").count(), { timeout: 15_000 }).toBe(before + 1);
  await expect.poll(async () => (await view.selected()).length).toBe(1);

  await view.goTo([1100, 800, 100], 1);
  await view.page.locator("#operations li button").first().click();
  const [x, y, z] = await view.page.evaluate(() => [
    ...(window as unknown as { viewer: { navigationState: { position: { value: Float32Array } } } }).viewer
      .navigationState.position.value,
  ]);
  expect(Math.hypot(x! - here[0], y! - here[1])).toBeLessThan(120);
  expect(Math.abs(z! - here[2])).toBeLessThan(3);
  await view.settle();
  await view.screenshot("6-made-elsewhere");
  expect(view.problems).toEqual([]);
  await view.page.close();
});

test("a refusal is told in words", async () => {
  const view = await openPage(browser, server.url);
  await view.page.getByRole("button", { name: "Start proofreading" }).click();
  await view.settle();
  const [here, there] = await twoSides(2);
  await view.goTo(between(here, there), 0.4);
  await view.select(here);
  await view.select(there);
  await view.page.locator("#merge").click();
  await view.placeMergePoint(here);
  await view.placeMergePoint(there);
  // Somebody else is faster: what this person is about to send joins an object with itself.
  await mergeElsewhere(here, there);
  await view.page.keyboard.press("Enter");
  await expect.poll(() => view.page.locator("#notices .refusal").count(), { timeout: 20_000 }).toBeGreaterThan(0);
  await view.screenshot("7-refused");
  await view.page.close();
});

test("a server with a token asks for it once, and works from then on", async () => {
  const guarded = await startProofreader("--data", data, "--token", "f00dfeedf00dfeed");
  try {
    const view = await openPage(browser, guarded.url, { wait: "before the token" });
    await view.page.getByLabel("Token").fill("f00dfeedf00dfeed");
    await view.page.getByRole("button", { name: "Open" }).click();
    await view.page.waitForFunction(() => "viewer" in window);
    await view.page.getByRole("button", { name: "Start proofreading" }).click();
    await view.settle();
    const [here] = await twoSides(3);
    await view.goTo(here, 0.5);
    await view.select(here);
    await view.screenshot("8-with-a-token");
    expect(view.problems.filter((problem) => !problem.includes("401"))).toEqual([]);
    await view.page.close();
  } finally {
    await guarded.stop();
  }
});

test("a newcomer is led to planted mistakes until each is mended", async () => {
  const view = await openPage(browser, server.url);
  await view.page.getByRole("dialog").getByRole("button", { name: "Show me a mistake" }).click();
  await expect.poll(async () => (await view.selected()).length, { timeout: 20_000 }).toBe(2);
  await view.settle();
  await view.screenshot("9-a-mistake");
  const pieces = await view.selected();
  const { mistakes } = (await (await fetch(`${server.url}api/mistakes`)).json()) as { mistakes: [Voxel, Voxel][] };
  const centre = await view.page.evaluate(() => [
    ...(window as unknown as { viewer: { navigationState: { position: { value: Float32Array } } } }).viewer
      .navigationState.position.value,
  ]);
  const [here, there] = mistakes.find(([a, b]) => distance(between(a, b), centre) < 2)!;

  const before = await view.page.locator("#operations li").count();
  await view.page.locator("#merge").click();
  await view.placeMergePoint(here);
  await view.placeMergePoint(there);
  await view.page.keyboard.press("Enter");
  await expect.poll(() => view.page.locator("#operations li").count(), { timeout: 20_000 }).toBe(before + 1);
  await view.page.getByRole("button", { name: "Show me a mistake" }).click();
  await expect.poll(async () => (await view.selected()).length, { timeout: 20_000 }).toBe(2);
  expect(await view.selected()).not.toEqual(pieces);
  expect(view.problems).toEqual([]);
  await view.page.close();
});

test("a narrow window keeps its bars to one line and nothing lies over anything", async () => {
  const view = await openPage(browser, server.url, { width: 420 });
  await view.page.getByRole("button", { name: "Start proofreading" }).click();
  await view.settle();
  for (const bar of ["#bar", "#timeline"]) {
    const boxes = await view.page.locator(`${bar} > *:visible`).evaluateAll((elements) =>
      elements
        .map((element) => element.getBoundingClientRect())
        .filter(({ width }) => width > 0)
        .map(({ left, right, height }) => ({ left, right, height })),
    );
    expect(boxes.length).toBeGreaterThan(4);
    for (const [i, box] of boxes.entries()) {
      expect(box.height).toBeLessThan(32);
      expect(box.left).toBeGreaterThanOrEqual(i === 0 ? 0 : boxes[i - 1]!.right);
      expect(box.right).toBeLessThanOrEqual(420);
    }
  }
  await view.screenshot("10-narrow");
  expect(view.problems).toEqual([]);
  await view.page.close();
});

test("objects are vivid without an image, and selected ones stand out", async () => {
  const volume = join(data, "tutorial/source/segmentation");
  const plain = await startProofreader("--data", join(data, "plain"), "--volume", volume, "--table", "plain");
  try {
    const view = await openPage(browser, plain.url);
    await view.page.getByRole("button", { name: "Start proofreading" }).click();
    await view.settle();
    const before = await colours(view.page);
    expect(before.saturation).toBeGreaterThan(0.6);
    await view.screenshot("11-without-an-image");
    const [here] = await twoSides(4);
    await view.goTo(here, 0.5);
    await view.select(here);
    expect((await colours(view.page)).brightest).toBeGreaterThan(before.brightest + 40);
    await view.screenshot("12-selected-without-an-image");
    expect(view.problems).toEqual([]);
    await view.page.close();
  } finally {
    await plain.stop();
  }
});

/** Mean saturation, and the brightness that one pixel in a hundred has, of what the first panel shows. */
async function colours(page: Page): Promise<{ saturation: number; brightest: number }> {
  const { x, y, width, height } = (await page.locator("#volume").boundingBox())!;
  const clip = { x: x + 0.1 * width, y: y + 0.2 * height, width: 0.3 * width, height: 0.2 * height };
  const picture = (await page.screenshot({ clip })).toString("base64");
  return page.evaluate(async (base64) => {
    const image = new Image();
    image.src = `data:image/png;base64,${base64}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")!;
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    let saturation = 0;
    const brightness: number[] = [];
    for (let i = 0; i < data.length; i += 4) {
      const [least, most] = [Math.min(...data.subarray(i, i + 3)), Math.max(...data.subarray(i, i + 3))];
      saturation += most === 0 ? 0 : (most - least) / most;
      brightness.push(most);
    }
    brightness.sort((a, b) => b - a);
    return { saturation: saturation / brightness.length, brightest: brightness[Math.floor(brightness.length / 100)]! };
  }, picture);
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((value, axis) => value - b[axis]!));

/** Two voxels in one section, one in each piece of a neurite that the segmentation cut, away from their borders. */
async function twoSides(skip = 0): Promise<[Voxel, Voxel]> {
  let found = 0;
  for (const split of splits) {
    const [x, y, z] = split.position;
    const box = { begin: [x - 60, y - 60, z] as Voxel, end: [x + 60, y + 60, z + 1] as Voxel };
    const inside =
      box.begin.every((value, axis) => value >= labels.voxelOffset[axis]!) &&
      box.end.every((value, axis) => value <= labels.voxelOffset[axis]! + labels.size[axis]!);
    if (!inside) continue;
    const voxels = (await labels.readLabels(box)) as BigUint64Array;
    const places = split.labels.map((label) => deepest(voxels, 120, BigInt(label)));
    if (places.some((place) => place === undefined) || found++ < skip) continue;
    return places.map((place) => [box.begin[0] + place![0], box.begin[1] + place![1], z]) as [Voxel, Voxel];
  }
  throw new Error("the tutorial has no split whose two pieces show in one section");
}

/** A pixel whose whole neighbourhood of ±4 carries the label. */
function deepest(voxels: BigUint64Array, width: number, label: bigint): [number, number] | undefined {
  for (let y = 5; y < width - 5; y++) {
    for (let x = 5; x < width - 5; x++) {
      let whole = true;
      for (let dy = -4; dy <= 4 && whole; dy++) {
        for (let dx = -4; dx <= 4 && whole; dx++) whole = voxels[(y + dy) * width + x + dx] === label;
      }
      if (whole) return [x, y];
    }
  }
  return undefined;
}

const between = (a: Voxel, b: Voxel): Voxel => a.map((value, axis) => Math.round((value + b[axis]!) / 2)) as Voxel;

/** What another person's client sends. */
async function mergeElsewhere(a: Voxel, b: Voxel): Promise<void> {
  const supervoxels = (await (
    await openVolumeIn(fileKvStore(join(data, "tutorial/supervoxels")), "neuroglancer-precomputed")
  ).scales[0]!) as Scale;
  const point = async (voxel: Voxel) => {
    const end = voxel.map((value) => value + 1) as Voxel;
    const [id] = (await supervoxels.readLabels({ begin: voxel, end })) as BigUint64Array;
    return [String(id), ...voxel.map((value, axis) => (value + 0.5) * labels.resolution[axis]!)];
  };
  const response = await fetch(`${server.url}segmentation/api/v1/table/tutorial/merge?int64_as_str=1`, {
    method: "POST",
    body: JSON.stringify([await point(a), await point(b)]),
  });
  expect(await response.text()).toContain("operation_id");
}
