/**
 * The mistakes a segmentation algorithm would have made, planted on purpose: neurites cut in two, and neighbours fused.
 *
 * A mistake counts only where it can be seen, so places are chosen by who owns the space there.
 * @module
 */
import { capillaryDistance } from "./capillary.ts";
import type { Balls } from "./neurites.ts";
import { SeededRandom } from "./random.ts";
import type { Territory } from "./territory.ts";

type Nm = readonly [number, number, number];

export interface PlantedErrors {
  /** Segment of each ball, 1-based: what the segmentation says instead of the neurite. */
  readonly segments: Uint32Array;
  readonly segmentCount: number;
  readonly splits: readonly {
    readonly position: Nm;
    readonly segments: readonly [number, number];
    /** A place well inside either part, both in one section, where there is such a section near the cut. */
    readonly sides: readonly [Nm, Nm] | undefined;
  }[];
  readonly merges: readonly { readonly sides: readonly [Nm, Nm]; readonly segment: number }[];
}

/** Cuts `splits` neurites in two and fuses `merges` pairs of touching neurites, all well inside the box. */
export function plantErrors(
  seed: number,
  balls: Balls,
  territory: Territory,
  extent: Nm,
  wanted: { readonly splits: number; readonly merges: number },
): PlantedErrors {
  const random = new SeededRandom(seed);
  const segments = Uint32Array.from(balls.neurites, (neurite) => neurite + 1);
  let segmentCount = balls.neuriteCount;
  const touched = new Set<number>();
  const members = ballsByNeurite(balls);
  const shows = (ball: number) => {
    const at = centre(balls, ball);
    return inTissue(at, extent) && balls.neurites[territory.owner[cellAt(territory, at)]!] === balls.neurites[ball];
  };

  const splits: { position: Nm; segments: [number, number]; sides: [Nm, Nm] | undefined }[] = [];
  for (let attempt = 0; attempt < wanted.splits * 100 && splits.length < wanted.splits; attempt++) {
    const neurite = random.integer(balls.neuriteCount);
    const own = members[neurite]!;
    if (touched.has(neurite) || own.length < 50) continue;
    const ball = own[20 + random.integer(own.length - 40)]!;
    const before = balls.previous[ball]!;
    if (before < 0 || !shows(ball) || !shows(before)) continue;
    const beyond = descendants(balls, own, ball);
    if (beyond.length < 15 || own.length - beyond.length < 15) continue;
    segmentCount++;
    for (const other of beyond) segments[other] = segmentCount;
    touched.add(neurite);
    const position = centre(balls, ball);
    const parts = [neurite + 1, segmentCount] as [number, number];
    splits.push({ position, segments: parts, sides: sidesOfCut(territory, segments, position, parts) });
  }

  const merges: { sides: [Nm, Nm]; segment: number }[] = [];
  for (let attempt = 0; attempt < wanted.merges * 400 && merges.length < wanted.merges; attempt++) {
    const cell = random.integer(territory.owner.length - 1);
    const sides = [cellCentre(territory, cell), cellCentre(territory, cell + 1)] as [Nm, Nm];
    if (!sides.every((side) => inTissue(side, extent))) continue;
    const [one, other] = [balls.neurites[territory.owner[cell]!]!, balls.neurites[territory.owner[cell + 1]!]!];
    if (one === other || touched.has(one) || touched.has(other)) continue;
    for (const member of members[other]!) segments[member] = one + 1;
    touched.add(one).add(other);
    merges.push({ sides, segment: one + 1 });
  }
  return { segments, segmentCount, splits, merges };
}

function ballsByNeurite(balls: Balls): number[][] {
  const members: number[][] = Array.from({ length: balls.neuriteCount }, () => []);
  for (let ball = 0; ball < balls.neurites.length; ball++) members[balls.neurites[ball]!]!.push(ball);
  return members;
}

/** Balls reached through `ball`, itself included; `own` lists the neurite's balls in the order they grew. */
function descendants(balls: Balls, own: readonly number[], ball: number): number[] {
  const found = new Set([ball]);
  for (const other of own) if (other > ball && found.has(balls.previous[other]!)) found.add(other);
  return [...found];
}

/** Sections and cells around a cut that are searched for places where both of its parts show. */
const reach = { sections: 12, cells: 15 };

function sidesOfCut(
  territory: Territory,
  segments: Uint32Array,
  cut: Nm,
  parts: readonly [number, number],
): [Nm, Nm] | undefined {
  const [nx, ny, nz] = territory.cells;
  const [i, j, k] = cut.map((value, axis) => Math.floor(value / territory.cellNm[axis]!)) as [number, number, number];
  const nearestInside = (part: number, section: number): number | undefined => {
    let [nearest, least] = [undefined as number | undefined, Number.POSITIVE_INFINITY];
    for (let y = Math.max(1, j - reach.cells); y <= Math.min(ny - 2, j + reach.cells); y++) {
      for (let x = Math.max(1, i - reach.cells); x <= Math.min(nx - 2, i + reach.cells); x++) {
        const distance = (x - i) ** 2 + (y - j) ** 2;
        const cell = (section * ny + y) * nx + x;
        if (distance >= least || !isInside(cell, part)) continue;
        [nearest, least] = [cell, distance];
      }
    }
    return nearest;
  };
  // The cells around it too, as the painter lets borders waver by about one.
  const isInside = (cell: number, part: number): boolean => {
    for (let row = cell - nx; row <= cell + nx; row += nx)
      for (let at = row - 1; at <= row + 1; at++) if (segments[territory.owner[at]!] !== part) return false;
    return true;
  };
  for (let step = 0; step <= 2 * reach.sections; step++) {
    const section = k + (step % 2 === 0 ? step / 2 : -(step + 1) / 2);
    if (section < 0 || section >= nz) continue;
    const [here, there] = parts.map((part) => nearestInside(part, section));
    if (here === undefined || there === undefined) continue;
    return [cellCentre(territory, here), cellCentre(territory, there)];
  }
  return undefined;
}

const centre = (balls: Balls, ball: number): Nm => [
  balls.centres[3 * ball]!,
  balls.centres[3 * ball + 1]!,
  balls.centres[3 * ball + 2]!,
];

function inTissue(at: Nm, extent: Nm): boolean {
  const inside = extent.every((length, axis) => at[axis]! > length * 0.1 && at[axis]! < length * 0.9);
  return inside && capillaryDistance(...at, extent) > 150;
}

function cellAt(territory: Territory, at: Nm): number {
  const [nx, ny] = territory.cells;
  const [i, j, k] = at.map((value, axis) => Math.floor(value / territory.cellNm[axis]!)) as [number, number, number];
  return (k * ny + j) * nx + i;
}

function cellCentre(territory: Territory, cell: number): Nm {
  const [nx, ny] = territory.cells;
  const index = [cell % nx, Math.floor(cell / nx) % ny, Math.floor(cell / (nx * ny))];
  return index.map((value, axis) => (value + 0.5) * territory.cellNm[axis]!) as unknown as Nm;
}
