/**
 * Reads the object to split out of a request.
 * @module
 */
import { componentStats, connectedComponents } from "@pcg/kernels";
import { boundsOf, type Corner, cutOut, positionOf } from "./box.ts";
import type { Budget } from "./budget.ts";
import type { Leftover, SnappedSeed, SplitRequest, Xyz } from "./contract.ts";
import type { Work } from "./drive.ts";
import { VoxelSplitError } from "./error.ts";
import { snap } from "./snap.ts";
import { inUnits, lengthIn } from "./unit.ts";

/** The object, cut out of the box. */
export interface SplitObjectBlock {
  /** Where it lies in the box. */
  readonly box: Corner;
  /** 1 for voxels that some seed can reach. */
  readonly mask: Uint8Array;
  /** 1 for voxels that no seed can reach; undefined when there are none. */
  readonly pieces: Uint8Array | undefined;
  readonly leftovers: readonly Leftover[];
  /** Voxels of the seeds in the cut-out, per group. */
  readonly groups: readonly (readonly number[])[];
  readonly seeds: readonly SnappedSeed[];
}

/** Finds the object's voxels, puts the seeds on it and sets pieces apart that no seed can reach. */
export function* readObject(request: SplitRequest, budget: Budget): Work<SplitObjectBlock> {
  const { size } = request;
  const voxels = size[0] * size[1] * size[2];
  budget.take(voxels);
  yield { phase: "read", done: 0 };
  const whole = maskOf(request);
  yield { phase: "read", done: 0.02 };
  const box = boundsOf(whole, size);
  if (box === undefined) {
    const why = request.mask ? "the mask is 0 everywhere" : "labels has none of ids";
    throw new VoxelSplitError("EMPTY_MASK", `no voxel of the ${size.join("×")} box belongs to the object: ${why}`);
  }
  const inside = box.size[0] * box.size[1] * box.size[2];
  budget.take(inside);
  const mask = cutOut(whole, size, box);
  budget.give(voxels);
  yield { phase: "read", done: 0.04 };
  const { groups, seeds } = yield* snapSeeds(request, box, mask);

  budget.take(inside * 4);
  const { components, count } = connectedComponents(mask, box.size, 26);
  yield { phase: "read", done: 0.08 };
  for (const [group, [first, ...rest]] of groups.entries()) {
    const apart = rest.find((seed) => components[seed] !== components[first!]);
    if (apart === undefined) continue;
    throw new VoxelSplitError(
      "TEAM_DISCONNECTED",
      `seeds of group ${group} lie in parts of the object that do not touch inside of the box; enlarge the box or drop a seed`,
      { group },
    );
  }
  const seeded = new Set(groups.flat().map((seed) => components[seed]!));
  const leftovers: Leftover[] = [];
  let pieces: Uint8Array | undefined;
  if (seeded.size < count) {
    budget.take(inside);
    pieces = new Uint8Array(inside);
    const found = componentStats(components, box.size, count).voxels;
    const named = new Uint8Array(count + 1);
    const [SEEDED, SEEN] = [1, 2];
    for (const component of seeded) named[component] = SEEDED;
    const offset = request.offset ?? [0, 0, 0];
    for (let voxel = 0; voxel < inside; voxel++) {
      const component = components[voxel]!;
      if (component === 0 || named[component] === SEEDED) continue;
      mask[voxel] = 0;
      pieces[voxel] = 1;
      if (named[component] !== 0) continue;
      named[component] = SEEN;
      const at = positionOf(voxel, box.size).map((a, axis) => a + box.corner[axis]! + offset[axis]!);
      leftovers.push({ at: at as unknown as Xyz, voxels: found[component - 1]! });
    }
  }
  budget.give(inside * 4);
  return { box, mask, pieces, leftovers, groups, seeds };
}

function maskOf({ mask, labels, ids }: SplitRequest): Uint8Array {
  if (mask !== undefined) return mask.map((inside) => (inside === 0 ? 0 : 1));
  const wanted = new Set(ids);
  return labels instanceof BigUint64Array ? maskOf64(labels, wanted) : maskOf32(labels, wanted);
}

function maskOf64(labels: BigUint64Array, wanted: ReadonlySet<bigint>): Uint8Array {
  const mask = new Uint8Array(labels.length);
  let last = 0n;
  let inside = 0;
  for (let voxel = 0; voxel < labels.length; voxel++) {
    const label = labels[voxel]!;
    if (label !== last) {
      last = label;
      inside = wanted.has(label) ? 1 : 0;
    }
    mask[voxel] = inside;
  }
  return mask;
}

function maskOf32(labels: Uint32Array, wanted: ReadonlySet<bigint>): Uint8Array {
  const mask = new Uint8Array(labels.length);
  let last = 0;
  let inside = 0;
  for (let voxel = 0; voxel < labels.length; voxel++) {
    const label = labels[voxel]!;
    if (label !== last) {
      last = label;
      inside = wanted.has(BigInt(label)) ? 1 : 0;
    }
    mask[voxel] = inside;
  }
  return mask;
}

/** Refuses seeds outside, then seeds too far, then seeds of two groups on one voxel: whichever is listed first. */
function* snapSeeds(
  { seeds: requested, voxelSize, size, offset = [0, 0, 0], snapDistance }: SplitRequest,
  box: Corner,
  mask: Uint8Array,
): Work<Pick<SplitObjectBlock, "groups" | "seeds">> {
  const [unit, lengths] = inUnits(voxelSize);
  const limit = snapDistance ?? 16 * Math.max(...voxelSize);
  const farthest = lengthIn(unit, limit);
  const all = requested.flatMap((positions, group) =>
    positions.map((position, seed) => {
      const name = `seeds[${group}][${seed}], (${position.join(", ")}),`;
      return { group, seed, name, at: inBox(position, name, { group, seed }, size, offset) };
    }),
  );
  const snapped: { group: number; voxel: number; distance: number }[] = [];
  for (const { group, seed, name, at } of all) {
    yield { phase: "read", done: 0.04 };
    const here = at.map((a, axis) => a - box.corner[axis]!) as unknown as Xyz;
    const found = snap(mask, box.size, lengths, here, farthest);
    if (found === undefined) {
      const message = `${name} is farther than ${limit} from the object; give a seed on it, or a larger snapDistance`;
      throw new VoxelSplitError("SEED_TOO_FAR", message, { group, seed, limit });
    }
    snapped.push({ group, voxel: found.voxel, distance: found.distance * unit });
  }
  const groups: number[][] = requested.map(() => []);
  const owner = new Map<number, number>();
  const seeds = snapped.map(({ group, voxel, distance }): SnappedSeed => {
    const absolute = positionOf(voxel, box.size).map((a, axis) => a + box.corner[axis]! + offset[axis]!);
    const [x, y, z] = absolute as [number, number, number];
    const other = owner.get(voxel) ?? group;
    if (other !== group) {
      const message = `seeds of groups ${other} and ${group} both fall on voxel (${x}, ${y}, ${z}); move or drop one`;
      throw new VoxelSplitError("SEED_CONFLICT", message, { group, other, x, y, z });
    }
    owner.set(voxel, group);
    groups[group]!.push(voxel);
    return { side: group + 1, at: [x, y, z], distance };
  });
  return { groups, seeds };
}

/** The voxel of the box that a seed lies in: voxel i covers the positions from i up to, not including, i + 1. */
function inBox(position: Xyz, name: string, fields: { group: number; seed: number }, size: Xyz, offset: Xyz): number[] {
  const at = position.map((a, axis) => Math.floor(a) - offset[axis]!);
  if (at.every((a, axis) => a >= 0 && a < size[axis]!)) return at;
  const end = size.map((length, axis) => length + offset[axis]!);
  const message = `${name} lies outside of the box from (${offset.join(", ")}) to (${end.join(", ")})`;
  throw new VoxelSplitError("SEED_OUTSIDE", message, fields);
}
