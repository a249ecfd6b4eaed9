/**
 * A chunk as a two-dimensional picture, as png and jpeg need it: x across, y and z down, and the channels of a pixel
 * beside each other, where a chunk has them in planes.
 * @module
 */
import type { Xyz } from "../chunk-grid.ts";

export type PixelArray = Uint8Array | Uint16Array;

/** Width and height of the picture we write for a chunk. Readers accept any with as many pixels. */
export function pictureSize(size: Xyz): { readonly width: number; readonly height: number } {
  return { width: size[0], height: size[1] * size[2] };
}

/** Planes of channels → pixels. */
export function interleave<T extends PixelArray>(planes: T, channels: number): T {
  if (channels === 1) return planes;
  const pixels = planes.slice() as T;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (let i = channel; i < pixels.length; i += channels, at++) pixels[i] = planes[at]!;
  }
  return pixels;
}

/** Pixels → planes of channels. */
export function deinterleave<T extends PixelArray>(pixels: T, channels: number): T {
  if (channels === 1) return pixels;
  const planes = pixels.slice() as T;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    for (let i = channel; i < pixels.length; i += channels, at++) planes[at] = pixels[i]!;
  }
  return planes;
}
