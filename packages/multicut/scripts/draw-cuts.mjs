// Draws docs/cuts.png: slices through shapes of shapes.mjs, one row each: the banded method on the left, fronts alone (as
// PyChunkedGraph cuts) on the right. Colours are sides, white dots the seeds. Run after a build:
//   node packages/multicut/scripts/draw-cuts.mjs
import { writeFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { splitVoxels } from "../dist/voxel/index.js";
import { drawShape, requestOf, shapes } from "./shapes.mjs";

const rows = [
  "two balls, seeds near the waist",
  "a neck between blobs",
  "unequal blobs",
  "touching fibres",
  "a branch leaves",
  "a tube that comes back",
  "three blobs",
  "four tubes meet",
].map((start) => shapes.find(({ name }) => name.startsWith(start)));
const SCALE = 4;
const GAP = 10;
const palette = [
  [250, 250, 250],
  [46, 110, 180],
  [226, 126, 42],
  [84, 160, 84],
  [150, 96, 170],
  [120, 120, 120],
];

const [width, height] = [
  GAP + 2 * (GAP + Math.max(...rows.map(({ size }) => size[0])) * SCALE),
  GAP + rows.reduce((sum, { size }) => sum + GAP + size[1] * SCALE, 0),
];
const pixels = Buffer.alloc(width * height * 3, 255);

let top = GAP;
for (const shape of rows) {
  const { mask } = drawShape(shape);
  for (const [column, method] of ["banded", "geodesic"].entries()) {
    const { sides } = await splitVoxels({ ...requestOf(shape, mask), method });
    drawSlice(shape, sides, GAP + column * ((width - GAP) / 2), top);
  }
  top += shape.size[1] * SCALE + GAP;
}
writeFileSync(new URL("../docs/cuts.png", import.meta.url), png(width, height, pixels));

/** The plane z of the first seed, y downwards. */
function drawSlice({ size, seeds }, sides, left, topAt) {
  const z = seeds[0][0][2];
  for (let y = 0; y < size[1] * SCALE; y++) {
    for (let x = 0; x < size[0] * SCALE; x++) {
      const voxel = Math.floor(x / SCALE) + size[0] * (Math.floor(y / SCALE) + size[1] * z);
      paint(left + x, topAt + y, palette[sides[voxel]]);
    }
  }
  for (const [sx, sy] of seeds.flat()) {
    for (let y = -4; y <= 4; y++) {
      for (let x = -4; x <= 4; x++) {
        if (x * x + y * y <= 17) paint(left + (sx + 0.5) * SCALE + x, topAt + (sy + 0.5) * SCALE + y, [255, 255, 255]);
      }
    }
  }
}

function paint(x, y, [red, green, blue]) {
  if (x < 0 || y < 0 || x >= width || y >= height) return;
  pixels.set([red, green, blue], 3 * (Math.floor(x) + width * Math.floor(y)));
}

/** A PNG file of 8-bit RGB. */
function png(w, h, rgb) {
  const raw = Buffer.alloc(h * (1 + w * 3));
  for (let y = 0; y < h; y++) rgb.copy(raw, y * (1 + w * 3) + 1, y * w * 3, (y + 1) * w * 3);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(w, 0);
  header.writeUInt32BE(h, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(raw, { level: 9 })), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

/** CRC-32 as PNG has it. */
function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
