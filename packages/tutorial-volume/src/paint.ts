/**
 * Paints sections: for each voxel the neurite it belongs to, and the grey value an electron microscope would have seen.
 *
 * Labels follow the segmentation (planted errors included); membranes follow the true neurites.
 * @module
 */
import { capillaryDistance } from "./capillary.ts";
import type { Balls } from "./neurites.ts";
import { SeededRandom } from "./random.ts";
import type { Territory } from "./territory.ts";

export interface Section {
  /** Segment per voxel, x fastest; 0 inside the capillary. */
  readonly labels: Uint32Array;
  /** Grey value per voxel. */
  readonly image: Uint8Array;
}

export interface Painter {
  /** Paints section `z` (voxels from the volume's begin) into `section`. */
  paint(z: number, section: Section): void;
}

/** Half thickness of a membrane as the image shows it, in nm of difference between the two nearest surfaces. */
const membraneNm = 17;

export function createPainter(
  seed: number,
  balls: Balls,
  segments: Uint32Array,
  territory: Territory,
  size: readonly [number, number, number],
  resolution: readonly [number, number, number],
): Painter {
  const [sx, sy] = size;
  const [rx, ry, rz] = resolution;
  const extent = [sx * rx, sy * ry, size[2] * rz] as const;
  const [nx, ny, nz] = territory.cells;
  const cellsX = territory.cellNm[0] / rx;
  const cellsY = territory.cellNm[1] / ry;
  const { owner } = territory;
  const { centres, radii, neurites } = balls;
  const random = new SeededRandom(seed);
  const cytoplasm = Uint8Array.from({ length: balls.neuriteCount }, () => random.between(148, 186));
  const mitochondria = placeMitochondria(random, radii);
  const jitter = Float32Array.from({ length: size[2] }, () => random.between(-7, 7));
  const grain = Int8Array.from({ length: 1 << 16 }, () => random.between(-13, 13) + random.between(-13, 13));
  const warpX = new Float32Array(sy);
  const warpY = new Float32Array(sx);
  const candidates = new Int32Array(27);
  const candidateNeurites = new Int32Array(27);

  return {
    paint(z, { labels, image }) {
      const pz = (z + 0.5) * rz;
      for (let y = 0; y < sy; y++) {
        const at = y * ry;
        warpX[y] = 17 * Math.sin(at / 61 + pz / 133) + 9 * Math.sin(at / 23 - pz / 71) + jitter[z]!;
      }
      for (let x = 0; x < sx; x++) {
        const at = x * rx;
        warpY[x] = 17 * Math.sin(at / 67 - pz / 127) + 9 * Math.sin(at / 19 + pz / 83) - jitter[z]!;
      }
      const k = Math.min(nz - 1, z);
      for (let j = 0; j < ny; j++) {
        for (let i = 0; i < nx; i++) {
          const found = gather(i, j, k);
          paintCell(i, j, z, pz, found, labels, image);
        }
      }
    },
  };

  /** Distinct owners in the 3×3×3 cells around one cell. */
  function gather(i: number, j: number, k: number): number {
    let found = 0;
    for (let dk = Math.max(0, k - 1); dk <= Math.min(nz - 1, k + 1); dk++) {
      for (let dj = Math.max(0, j - 1); dj <= Math.min(ny - 1, j + 1); dj++) {
        for (let di = Math.max(0, i - 1); di <= Math.min(nx - 1, i + 1); di++) {
          const ball = owner[(dk * ny + dj) * nx + di]!;
          let known = 0;
          while (known < found && candidates[known] !== ball) known++;
          if (known < found) continue;
          candidates[found] = ball;
          candidateNeurites[found] = neurites[ball]!;
          found++;
        }
      }
    }
    return found;
  }

  function paintCell(
    i: number,
    j: number,
    z: number,
    pz: number,
    found: number,
    labels: Uint32Array,
    image: Uint8Array,
  ): void {
    const yEnd = Math.min(sy, (j + 1) * cellsY);
    const xEnd = Math.min(sx, (i + 1) * cellsX);
    for (let y = j * cellsY; y < yEnd; y++) {
      for (let x = i * cellsX; x < xEnd; x++) {
        const voxel = y * sx + x;
        const speck = grain[(Math.imul(voxel + z * 977, 0x9e3779b1) >>> 16) & 0xffff]!;
        const px = (x + 0.5) * rx + warpX[y]!;
        const py = (y + 0.5) * ry + warpY[x]!;
        const lumen = capillaryDistance(px, py, pz, extent);
        if (lumen < 0) {
          labels[voxel] = 0;
          image[voxel] = lumen > -28 ? 92 + speck : 212 + (speck >> 1);
          continue;
        }
        let best = Number.POSITIVE_INFINITY;
        let bestBall = 0;
        let second = Number.POSITIVE_INFINITY;
        let bestNeurite = -1;
        for (let c = 0; c < found; c++) {
          const ball = candidates[c]!;
          const dx = px - centres[3 * ball]!;
          const dy = py - centres[3 * ball + 1]!;
          const dz = pz - centres[3 * ball + 2]!;
          const gap = Math.sqrt(dx * dx + dy * dy + dz * dz) - radii[ball]!;
          if (gap < best) {
            if (candidateNeurites[c] !== bestNeurite) second = best;
            best = gap;
            bestBall = ball;
            bestNeurite = candidateNeurites[c]!;
          } else if (gap < second && candidateNeurites[c] !== bestNeurite) second = gap;
        }
        labels[voxel] = segments[bestBall]!;
        const across = second - best;
        let grey = cytoplasm[bestNeurite]! + speck;
        if (mitochondria[bestBall] === 1) {
          const depth = -best / radii[bestBall]!;
          if (depth > 0.4) grey -= depth > 0.47 ? 46 + 14 * Math.sin((px + py) / 9) : 84;
        }
        if (across < 2.6 * membraneNm) grey -= 112 * Math.exp(-((across / membraneNm) ** 2));
        image[voxel] = Math.min(245, Math.max(8, grey));
      }
    }
  }
}

/** Runs of balls along thick stretches carry a mitochondrion: a tube around the axis of the neurite. */
function placeMitochondria(random: SeededRandom, radii: Float32Array): Uint8Array {
  const carries = new Uint8Array(radii.length);
  let left = 0;
  for (let ball = 0; ball < radii.length; ball++) {
    if (left === 0 && random.next() < 0.022) left = 8 + random.integer(14);
    if (left === 0) continue;
    if (radii[ball]! >= 88) carries[ball] = 1;
    left--;
  }
  return carries;
}
