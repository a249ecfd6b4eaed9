/**
 * The smallest surface between sides that differs from a given split only inside of a band.
 * @module
 */
import { FREE, gridCutBytes, gridCutSlices, OUTSIDE, SINK, type Size, SOURCE } from "@pcg/kernels";
import { cutWeights } from "./area-weights.ts";
import { boundsOf, cutOut, grow, putBack } from "./box.ts";
import type { Budget } from "./budget.ts";
import type { SplitPhase } from "./contract.ts";
import { during, type Work } from "./drive.ts";
import type { Level } from "./levels.ts";

/** Swap moves settle within a few rounds; this only bounds what cannot be proven. */
const MOST_ROUNDS = 12;

interface Band {
  readonly size: Size;
  /** Sides, of the cut-out box. */
  readonly sides: Uint8Array;
  readonly free: Uint8Array;
  readonly weights: Uint16Array;
  readonly evidence: Uint8Array;
}

/**
 * Cuts the level along the smallest surface: where `free` is 0 voxels keep their side, elsewhere it says how much area counts,
 * of 255, beside the level's own evidence. `sides` is changed in place. Two sides: one minimum cut, exact. More: each side is isolated from all others, the dearest gets what no
 * other claims (Dahlhaus et al. 1994: at most 2−2/k times the smallest surface), then every two sides exchange voxels by
 * minimum cuts until no exchange makes the surface smaller. With `start` "given", exchanges begin at the sides given.
 */
export function* cutBand(
  level: Level,
  sides: Uint8Array,
  free: Uint8Array,
  count: number,
  start: "isolated" | "given",
  budget: Budget,
  phase: SplitPhase,
  [from, to]: readonly [number, number],
): Work<void> {
  const inner = boundsOf(free, level.size);
  if (inner === undefined) return;
  const box = grow(inner, 1, level.size);
  const voxels = box.size[0] * box.size[1] * box.size[2];
  budget.take(voxels * 3);
  const band: Band = {
    size: box.size,
    sides: cutOut(sides, level.size, box),
    free: cutOut(free, level.size, box),
    weights: cutWeights(level.voxelSize),
    evidence: level.evidence ? cutOut(level.evidence, level.size, box) : new Uint8Array(voxels).fill(255),
  };
  for (let voxel = 0; voxel < voxels; voxel++) {
    const there = band.free[voxel]!;
    if (there !== 0) band.evidence[voxel] = Math.round((band.evidence[voxel]! * there) / 255);
  }
  const middle = count > 2 && start === "isolated" ? (from + to) / 2 : from;
  if (count > 2 && start === "isolated") yield* isolate(band, count, budget, phase, [from, middle]);
  yield* exchange(band, count, budget, phase, [middle, to]);
  putBack(sides, level.size, box, band.sides);
  budget.give(voxels * 3);
}

/** Solves one two-sided cut of the band and returns which side each voxel takes (1 source, 2 sink, 0 outside). */
function* solve(
  { size, weights, evidence }: Band,
  states: Uint8Array,
  budget: Budget,
  phase: SplitPhase,
  span: readonly [number, number],
): Work<{ sides: Uint8Array; flow: number }> {
  let freeVoxels = 0;
  for (let voxel = 0; voxel < states.length; voxel++) if (states[voxel] === FREE) freeVoxels++;
  const bytes = gridCutBytes(size, freeVoxels, true) + states.length * 2;
  budget.take(bytes);
  const cut = yield* during(phase, span, gridCutSlices({ states, size, weights, evidence }));
  budget.give(bytes);
  return cut;
}

/** Starts more than two sides: the voxels nearest to each in the sense of its own minimum cut. */
function* isolate(
  band: Band,
  count: number,
  budget: Budget,
  phase: SplitPhase,
  [from, to]: readonly [number, number],
): Work<void> {
  const { sides, free } = band;
  const claims = new Uint8Array(sides.length);
  let dearest = 1;
  let most = -1;
  for (let side = 1; side <= count; side++) {
    // As the sink, a side gets the fewest voxels that any minimum cut gives it; such claims never overlap.
    const states = sides.map((at, voxel) =>
      at === 0 ? OUTSIDE : free[voxel] !== 0 ? FREE : at === side ? SINK : SOURCE,
    );
    const span = [from + ((to - from) * (side - 1)) / count, from + ((to - from) * side) / count] as const;
    const cut = yield* solve(band, states, budget, phase, span);
    for (let voxel = 0; voxel < claims.length; voxel++) {
      if (cut.sides[voxel] === 2 && free[voxel] !== 0) claims[voxel] = side;
    }
    if (cut.flow <= most) continue;
    most = cut.flow;
    dearest = side;
  }
  for (let voxel = 0; voxel < claims.length; voxel++) {
    if (free[voxel] !== 0 && sides[voxel] !== 0) sides[voxel] = claims[voxel] || dearest;
  }
}

/** Lets every two sides exchange free voxels until nothing changes. Pairs that did not change since their turn are left out. */
function* exchange(
  band: Band,
  count: number,
  budget: Budget,
  phase: SplitPhase,
  [from, to]: readonly [number, number],
): Work<void> {
  const rounds = count === 2 ? 1 : MOST_ROUNDS;
  const changedAt = new Uint32Array(count + 1).fill(1);
  const turnOf = new Map<string, number>();
  let turn = 1;
  for (let round = 0, changed = true; round < rounds && changed; round++) {
    changed = false;
    const span = [from + ((to - from) * round) / rounds, from + ((to - from) * (round + 1)) / rounds] as const;
    for (let low = 1; low < count; low++) {
      for (let high = low + 1; high <= count; high++) {
        const last = turnOf.get(`${low},${high}`) ?? 0;
        if (last >= Math.max(changedAt[low]!, changedAt[high]!)) continue;
        turn++;
        yield { phase, done: span[0] };
        if (yield* exchangePair(band, low, high, budget, phase, span)) {
          changed = true;
          changedAt[low] = turn;
          changedAt[high] = turn;
        }
        turnOf.set(`${low},${high}`, turn);
      }
    }
  }
}

/** The minimum cut between two sides over the free voxels that either has; whether any voxel changed sides. */
function* exchangePair(
  band: Band,
  low: number,
  high: number,
  budget: Budget,
  phase: SplitPhase,
  span: readonly [number, number],
): Work<boolean> {
  const { sides, free } = band;
  const states = new Uint8Array(sides.length);
  let any = false;
  for (let voxel = 0; voxel < sides.length; voxel++) {
    const side = sides[voxel];
    if (side !== low && side !== high) continue;
    states[voxel] = free[voxel] !== 0 ? FREE : side === low ? SOURCE : SINK;
    any ||= free[voxel] !== 0;
  }
  if (!any) return false;
  const cut = yield* solve(band, states, budget, phase, span);
  let changed = false;
  for (let voxel = 0; voxel < sides.length; voxel++) {
    if (states[voxel] !== FREE) continue;
    const side = cut.sides[voxel] === 1 ? low : high;
    changed ||= side !== sides[voxel];
    sides[voxel] = side;
  }
  return changed;
}
