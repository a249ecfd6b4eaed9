/**
 * Encoding `jpeg`: 8 bits, 1 or 3 channels, lossy. The work is done by sharp (libvips), loaded when the first jpeg comes
 * by: it is a Node library, and most volumes never need it.
 * @module
 */
import type Sharp from "sharp";
import type { Xyz } from "../chunk-grid.ts";
import { corrupt, PrecomputedError } from "../errors.ts";
import { deinterleave, interleave, pictureSize } from "./image.ts";

/** Largest side a jpeg can have. */
const MAX_SIDE = 65_535;

/** @param quality 0 to 100; 75 is libjpeg's own default. */
export async function encodeJpeg(data: Uint8Array, size: Xyz, channels: number, quality = 75): Promise<Uint8Array> {
  const { width, height } = pictureSize(size);
  if (width > MAX_SIDE || height > MAX_SIDE) {
    throw new RangeError(`jpeg of ${width} x ${height} pixels; a side has at most ${MAX_SIDE}, choose smaller chunks`);
  }
  const sharp = await loadSharp();
  const raw = { width, height, channels: channels as 1 | 3 };
  // sharp takes qualities from 1; chroma is not subsampled, as channels need not be colours.
  const encoded = await sharp(interleave(data, channels), { raw, limitInputPixels: false })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .jpeg({ quality: Math.max(1, quality), chromaSubsampling: "4:4:4" })
    .toBuffer();
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.length);
}

export async function decodeJpeg(bytes: Uint8Array, size: Xyz, channels: number): Promise<Uint8Array> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw corrupt(`jpeg chunk of ${bytes.length} bytes does not begin with ff d8`);
  const sharp = await loadSharp();
  const voxels = size[0] * size[1] * size[2];
  try {
    const image = sharp(bytes, { failOn: "truncated", limitInputPixels: voxels });
    const header = await image.metadata();
    if (header.format !== "jpeg" || header.width * header.height !== voxels || header.channels !== channels) {
      throw corrupt(
        `${header.format} of ${header.width} x ${header.height} pixels and ${header.channels} channels for a chunk of ${size.join(" x ")} voxels and ${channels}`,
      );
    }
    const pixels = await image
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer();
    const wanted = voxels * channels;
    if (pixels.length !== wanted) throw corrupt(`jpeg decodes to ${pixels.length} bytes, the chunk has ${wanted}`);
    return deinterleave(new Uint8Array(pixels), channels);
  } catch (cause) {
    if (cause instanceof PrecomputedError) throw cause;
    throw corrupt(`jpeg chunk of ${bytes.length} bytes: ${(cause as Error).message}`, {}, cause);
  }
}

async function loadSharp(): Promise<typeof Sharp> {
  // A variable keeps bundlers for browsers from following the import.
  const name = "sharp";
  try {
    return ((await import(/* @vite-ignore */ name)) as { default: typeof Sharp }).default;
  } catch (cause) {
    throw new PrecomputedError(
      "UNSUPPORTED",
      `jpeg chunks need Node and the package "sharp": install it for this platform (npm install sharp), or store the scale as png or raw`,
      {},
      { cause },
    );
  }
}
