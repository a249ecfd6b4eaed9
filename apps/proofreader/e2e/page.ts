/** What a person does on the page, for tests: point at voxels, select, merge, travel in time. */

import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";

type Voxel = readonly [number, number, number];

export interface ProofreadingPage {
  readonly page: Page;
  /** Errors that the page wrote to its console, and requests to other origins. */
  readonly problems: string[];
  goTo(voxel: Voxel, voxelsPerPixel: number): Promise<void>;
  select(voxel: Voxel): Promise<void>;
  selected(): Promise<string[]>;
  placeMergePoint(voxel: Voxel): Promise<void>;
  settle(): Promise<void>;
  screenshot(name: string): Promise<void>;
}

export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly wait?: "before the token"; readonly width?: number } = {},
): Promise<ProofreadingPage> {
  const page = await browser.newPage({ viewport: { width: options.width ?? 1400, height: 900 } });
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    const origin = new URL(request.url());
    if (origin.protocol.startsWith("http") && origin.origin !== new URL(url).origin)
      problems.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  if (!options.wait) await page.waitForFunction(() => "viewer" in window);

  const settle = async () => {
    await page.waitForFunction(() => (window as unknown as { viewer: { isReady(): boolean } }).viewer.isReady(), null, {
      timeout: 60_000,
    });
  };
  /** Page coordinates of a voxel in the x-y panel; the panel moves when side panels open, so ask each time. */
  const pixelOf = (voxel: Voxel) =>
    page.evaluate(([x, y]) => {
      const { viewer } = window as unknown as {
        viewer: {
          navigationState: { position: { value: Float32Array }; zoomFactor: { value: number } };
          display: { panels: Set<{ element: HTMLElement; constructor: { name: string }; navigationState?: unknown }> };
        };
      };
      const panel = [...viewer.display.panels]
        .map(({ element }) => element.getBoundingClientRect())
        .sort((a, b) => a.top + a.left - b.top - b.left)[0]!;
      const [px, py] = viewer.navigationState.position.value;
      const scale = viewer.navigationState.zoomFactor.value;
      return [
        panel.left + panel.width / 2 + (x! + 0.5 - px!) / scale,
        panel.top + panel.height / 2 + (y! + 0.5 - py!) / scale,
      ] as const;
    }, voxel);
  /** Picking follows the mouse with a delay: waits until the page knows which voxel and which object are under it. */
  const pointAt = async (voxel: Voxel) => {
    const [x, y] = await pixelOf(voxel);
    await page.mouse.move(x - 6, y - 4);
    await page.mouse.move(x, y, { steps: 3 });
    await page.waitForFunction(([vx, vy]) => {
      const { viewer } = window as unknown as {
        viewer: {
          mouseState: { active: boolean; position: Float32Array; updateUnconditionally(): boolean };
          layerManager: { getLayerByName(name: string): { layer: object } };
          layerSelectedValues: { get(layer: object): { value?: unknown } | undefined };
        };
      };
      const { mouseState, layerManager, layerSelectedValues } = viewer;
      if (!mouseState.updateUnconditionally()) return false;
      if (Math.floor(mouseState.position[0]!) !== vx || Math.floor(mouseState.position[1]!) !== vy) return false;
      return layerSelectedValues.get(layerManager.getLayerByName("proofreading").layer) !== undefined;
    }, voxel);
    return [x, y] as const;
  };
  const selected = () =>
    page.evaluate(() => {
      const { viewer } = window as unknown as {
        viewer: {
          layerManager: {
            getLayerByName(name: string): {
              layer: { displayState: { segmentationGroupState: { value: { visibleSegments: Iterable<bigint> } } } };
            };
          };
        };
      };
      const { layer } = viewer.layerManager.getLayerByName("proofreading");
      return [...layer.displayState.segmentationGroupState.value.visibleSegments].map(String).sort();
    });

  return {
    page,
    problems,
    settle,
    selected,
    async goTo([x, y, z], voxelsPerPixel) {
      await page.evaluate(
        ([px, py, pz, scale]) => {
          const { viewer } = window as unknown as {
            viewer: { navigationState: { position: { value: Float32Array }; zoomFactor: { value: number } } };
          };
          viewer.navigationState.position.value = Float32Array.of(px! + 0.5, py! + 0.5, pz! + 0.5);
          viewer.navigationState.zoomFactor.value = scale!;
        },
        [x, y, z, voxelsPerPixel],
      );
      await settle();
    },
    async select(voxel) {
      const before = (await selected()).length;
      const [x, y] = await pointAt(voxel);
      await page.mouse.dblclick(x, y);
      await expect.poll(async () => (await selected()).length, { timeout: 15_000 }).toBe(before + 1);
      await settle();
    },
    async placeMergePoint(voxel) {
      const [x, y] = await pointAt(voxel);
      const points = page.locator(".graphene-merge-segments-point");
      const before = await points.count();
      await page.keyboard.down("Control");
      await page.mouse.click(x, y);
      await page.keyboard.up("Control");
      await expect.poll(() => points.count(), { timeout: 15_000 }).toBe(before + 1);
    },
    async screenshot(name) {
      await page.screenshot({ path: new URL(`.results/${name}.png`, import.meta.url).pathname });
    },
  };
}
