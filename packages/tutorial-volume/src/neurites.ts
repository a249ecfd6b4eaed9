/**
 * Skeletons of neurites: branching paths of balls in nanometres.
 *
 * A neurite is a persistent random walk through the box; thick dendrites are few and straight, axons are many, thin, winding
 * and carry boutons. Branches leave at wide angles.
 * @module
 */
import { SeededRandom } from "./random.ts";

export interface Balls {
  /** Centres in nm, x, y, z per ball. */
  readonly centres: Float32Array;
  /** Radii in nm. */
  readonly radii: Float32Array;
  /** Neurite of each ball, 0-based. */
  readonly neurites: Int32Array;
  /** Ball this one was reached from, −1 for the first of a neurite. */
  readonly previous: Int32Array;
  readonly neuriteCount: number;
}

const stepNm = 40;
/** Paths run this far beyond the box, so that objects are cut by its faces as in a real crop. */
const marginNm = 200;

interface Tip {
  position: [number, number, number];
  direction: [number, number, number];
  radius: number;
  from: number;
  remaining: number;
}

/** Grows `count` neurites in a box of `extent` nm. */
export function growNeurites(seed: number, extent: readonly [number, number, number], count: number): Balls {
  const random = new SeededRandom(seed);
  const centres: number[] = [];
  const radii: number[] = [];
  const neurites: number[] = [];
  const previous: number[] = [];

  for (let neurite = 0; neurite < count; neurite++) {
    const dendrite = random.next() < 0.12;
    const caliber = dendrite ? random.between(210, 330) : random.between(70, 130);
    const winding = dendrite ? 0.1 : 0.22;
    const branching = dendrite ? 0.012 : 0.006;
    const bouton = random.between(0, 2 * Math.PI);
    const start = extent.map((length) => random.between(-marginNm, length + marginNm)) as [number, number, number];
    const heading = random.direction();
    const tips: Tip[] = [1, -1].map((sign) => ({
      position: [...start],
      direction: heading.map((part) => part * sign) as [number, number, number],
      radius: caliber,
      from: -1,
      remaining: 400,
    }));
    let first = -1;
    while (tips.length > 0) {
      const tip = tips.pop()!;
      if (tip.from < 0) tip.from = first;
      for (; tip.remaining > 0 && inside(tip.position, extent); tip.remaining--) {
        const phase = (neurites.length * stepNm) / 420 + bouton;
        const swelling = dendrite ? 1 + 0.12 * Math.sin(phase) : 1 + 0.75 * Math.max(0, Math.sin(phase)) ** 6;
        centres.push(...tip.position);
        radii.push(tip.radius * swelling);
        neurites.push(neurite);
        previous.push(tip.from);
        tip.from = neurites.length - 1;
        if (first < 0) first = tip.from;
        if (random.next() < branching && tip.radius > 60) {
          tips.push({
            position: [...tip.position],
            direction: bend(random, tip.direction, 1.2),
            radius: tip.radius * random.between(0.6, 0.85),
            from: tip.from,
            remaining: Math.floor(tip.remaining * random.between(0.3, 0.9)),
          });
        }
        tip.direction = bend(random, tip.direction, winding);
        for (let axis = 0; axis < 3; axis++) tip.position[axis]! += tip.direction[axis]! * stepNm;
      }
    }
  }
  return {
    centres: Float32Array.from(centres),
    radii: Float32Array.from(radii),
    neurites: Int32Array.from(neurites),
    previous: Int32Array.from(previous),
    neuriteCount: count,
  };
}

function inside(position: readonly number[], extent: readonly number[]): boolean {
  return position.every((value, axis) => value > -marginNm && value < extent[axis]! + marginNm);
}

function bend(
  random: SeededRandom,
  direction: readonly [number, number, number],
  amount: number,
): [number, number, number] {
  const [dx, dy, dz] = random.direction();
  const x = direction[0] + amount * dx;
  const y = direction[1] + amount * dy;
  const z = direction[2] + amount * dz;
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}
