import { Random } from "@pcg/testkit";
import type { LabelArray, Size } from "../src/volume.ts";

/** A way to fill a block, by what is hard about it. */
export const textures = ["blobs", "noise", "constant", "zero", "checkerboard", "distinct", "stripes"] as const;
export type Texture = (typeof textures)[number];

/** Label values that break lanes, signs and doubles. */
const palette = [
  0n,
  1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n - 2n,
  7n,
  1n << 56n,
];

/** A block of u64 labels with the texture; 0 among them. */
export function block(texture: Texture, size: Size, seed: number): BigUint64Array {
  const random = new Random(seed);
  const [sx, sy, sz] = size;
  const labels = new BigUint64Array(sx * sy * sz);
  const seeds = Array.from({ length: 6 }, () => [random.below(sx), random.below(sy), random.below(sz)] as const);
  const constant = random.pick(palette.slice(1));
  for (let z = 0, i = 0; z < sz; z++) {
    for (let y = 0; y < sy; y++) {
      for (let x = 0; x < sx; x++, i++) {
        if (texture === "noise") labels[i] = random.pick(palette);
        else if (texture === "constant") labels[i] = constant;
        else if (texture === "checkerboard") labels[i] = (x + y + z) % 2 === 0 ? constant : 0n;
        else if (texture === "distinct") labels[i] = random.uint64();
        else if (texture === "stripes") labels[i] = palette[Math.floor((x + z) / 3) % palette.length]!;
        else if (texture === "blobs") {
          let best = Number.POSITIVE_INFINITY;
          seeds.forEach(([a, b, c], k) => {
            const d = (x - a) ** 2 + (y - b) ** 2 + 4 * (z - c) ** 2;
            if (d < best) {
              best = d;
              labels[i] = palette[k]!;
            }
          });
        }
      }
    }
  }
  return labels;
}

/** The same labels, cut to a narrower type (different labels may become equal). */
export function narrow(labels: BigUint64Array, type: "u8" | "u16" | "u32" | "u64"): LabelArray {
  if (type === "u64") return labels;
  const low = Array.from(labels, (label) => Number((label ^ (label >> 32n)) & 0xffffffffn));
  if (type === "u32") return Uint32Array.from(low);
  return type === "u16" ? Uint16Array.from(low) : Uint8Array.from(low);
}
