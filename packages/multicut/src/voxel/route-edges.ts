/**
 * Gives the edges of split supervoxels to their fragments, and proves that what must be parted can be.
 * @module
 */
import type { Size } from "@pcg/kernels";
import { describe, type Names } from "../arguments.ts";
import { findBridges } from "./bridges.ts";
import { checkBlock, checkCorner, checkObject, checkSize, checkVoxelSize, invalid } from "./check.ts";
import type { Xyz } from "./contract.ts";
import { VoxelSplitError } from "./error.ts";
import type { VoxelBox } from "./point-set.ts";
import type { Fragment } from "./relabel-chunks.ts";
import { Surfaces } from "./surfaces.ts";

/** Edges of supervoxels: pairs of ids, and one affinity and area per pair. */
export interface EdgeTable {
  readonly edges: BigUint64Array;
  /** Infinity joins pieces that a chunk border cut apart. */
  readonly affinities: Float64Array;
  readonly areas: BigUint64Array;
}

/** What {@link routeEdges} is asked. */
export interface RouteRequest extends EdgeTable {
  /** What `relabelChunks` made, of all supervoxels that are split together. */
  readonly fragments: readonly Fragment[];
  /** Sides of supervoxels of the object that stayed whole, as `relabelChunks` names them. */
  readonly whole?: ReadonlyMap<bigint, number>;
  /** How many groups were parted: sides 1 to `groups`. Higher sides (the rest) may join any. */
  readonly groups: number;
  /** The block after relabelling. It should reach one voxel beyond what was split, so that neighbours are seen. */
  readonly labels: BigUint64Array;
  readonly size: Size;
  /** Absolute position of the block's first voxel. */
  readonly offset: Xyz;
  readonly voxelSize: Xyz;
  /** Whether a supervoxel that is not split belongs to the object that is. */
  readonly sameObject: (id: bigint) => boolean;
  /** Where a supervoxel lies that has no voxel in the block: its chunk, absolute. */
  readonly boxOf?: (id: bigint) => VoxelBox | undefined;
  /** Fragments nearer than this to a neighbour of the same object share its finite edges. Default: ten times the shortest voxel side. */
  readonly reach?: number;
}

/** How the edges of split supervoxels go on. */
export type Routing =
  /** The new edges, smaller id first, sorted; `replaced` are the rows of the request that they stand for. */
  | (EdgeTable & { readonly kind: "routed"; readonly replaced: Uint32Array })
  /** These supervoxels hold fragments of two groups together by infinite edges: split them too, with the others, and ask again. */
  | { readonly kind: "cascade"; readonly partners: BigUint64Array }
  /** Fragments of two groups are joined by infinite edges and no unsplit supervoxel is at fault: this split cannot be made. */
  | { readonly kind: "bridged"; readonly fragments: BigUint64Array };

/** Keeps the fragments of a supervoxel connected, and is cut before anything else. */
const SIBLING_AFFINITY = 0.001;

/**
 * Routes edges by these rules; distances are physical, between voxel centres, in one frame.
 *
 * | partner                     | affinity | new edges                                                             |
 * | --------------------------- | -------- | --------------------------------------------------------------------- |
 * | of another object           | any      | to every fragment; plays no part in the proof                         |
 * | same object, split too      | infinite | fragments of the same side that touch, or the nearest of that side; no side in common: the nearest |
 * | same object, not split      | infinite | the fragment with most contact, else the nearest; of its own side if it is `whole` |
 * | same object                 | finite   | all fragments within `reach`, else the nearest                        |
 * | fragments of one supervoxel | –        | all pairs, affinity 0.001, area 0                                     |
 *
 * An infinite edge that so comes to join two groups is cut by the surface, which runs along the chunk border there: it goes on
 * with affinity 0.001, as between fragments of one supervoxel.
 *
 * Affinity and area are kept. Rows that repeat another exactly count once; loops are dropped. Then infinite edges are
 * contracted, those between unsplit supervoxels of the object included: unless some contracted node holds fragments of two
 * groups, the edges are returned.
 *
 * @throws VoxelSplitError `UNKNOWN_PLACE`, `INVALID_ARGUMENT`.
 */
export function routeEdges(request: RouteRequest): Routing {
  checkRouteRequest(request);
  const { edges, affinities, areas, fragments, groups, labels, size, voxelSize, sameObject } = request;
  const sides = new Map([...(request.whole ?? []), ...fragments.map(({ id, side }) => [id, side] as const)]);
  // Leftovers may join any side.
  const apart = (one = groups + 1, other = groups + 1): boolean => one !== other && Math.max(one, other) <= groups;
  const children = new Map<bigint, Fragment[]>();
  for (const fragment of [...fragments].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const list = children.get(fragment.old);
    if (list) list.push(fragment);
    else children.set(fragment.old, [fragment]);
  }
  const wanted = new Set(fragments.map(({ id }) => id));
  for (let row = 0; row < affinities.length; row++) {
    const [a, b] = [edges[2 * row]!, edges[2 * row + 1]!];
    if (children.has(a) && !children.has(b) && sameObject(b)) wanted.add(b);
    if (children.has(b) && !children.has(a) && sameObject(a)) wanted.add(a);
  }
  const places = new Places(request, new Surfaces(labels, size, voxelSize, wanted));
  const reach = request.reach ?? 10 * Math.min(...voxelSize);

  const routed = new RowSet();
  // What the proof goes by: infinite edges of this object, old and new.
  const ties = new RowSet();
  const replaced: number[] = [];
  for (let row = 0; row < affinities.length; row++) {
    // The smaller id first, so that a row's direction does not decide between equally near pairs.
    const [a, b] = ascending(edges[2 * row]!, edges[2 * row + 1]!);
    const affinity = affinities[row]!;
    const area = areas[row]!;
    const [mine, theirs] = children.has(a) ? [children.get(a)!, children.get(b)] : [children.get(b), undefined];
    if (mine === undefined) {
      if (a === b || affinity !== Number.POSITIVE_INFINITY || !sameObject(a) || !sameObject(b)) continue;
      if (apart(sides.get(a), sides.get(b))) {
        replaced.push(row);
        routed.add(a, b, SIBLING_AFFINITY, area);
      } else ties.add(a, b, affinity, area);
      continue;
    }
    replaced.push(row);
    if (a === b) continue;
    const partner = children.has(a) ? b : a;
    const side = sides.get(partner);
    const beside = mine.filter((fragment) => fragment.side === side);
    const pairs =
      theirs !== undefined
        ? affinity === Number.POSITIVE_INFINITY
          ? pairsOfSides(mine, theirs, places)
          : [...pairsInReach(mine, idsOf(theirs), places, reach), ...pairsInReach(theirs, idsOf(mine), places, reach)]
        : !sameObject(partner)
          ? idsOf(mine).map((id) => [id, partner] as const)
          : affinity === Number.POSITIVE_INFINITY
            ? [[places.closest(beside.length > 0 ? beside : mine, partner), partner] as const]
            : pairsInReach(mine, [partner], places, reach);
    const tied = affinity === Number.POSITIVE_INFINITY && (theirs !== undefined || sameObject(partner));
    for (const [from, to] of pairs) {
      const parted = tied && apart(sides.get(from), sides.get(to));
      routed.add(from, to, parted ? SIBLING_AFFINITY : affinity, area);
      if (tied && !parted) ties.add(from, to, affinity, area);
    }
  }
  for (const siblings of children.values()) {
    siblings.forEach(({ id }, i) => {
      for (const other of siblings.slice(i + 1)) routed.add(id, other.id, SIBLING_AFFINITY, 0n);
    });
  }
  const bridges = findBridges(ties.table().edges, sides, groups);
  if (bridges !== undefined) return bridges;
  return { kind: "routed", ...routed.table(), replaced: Uint32Array.from(replaced) };
}

const NAMES: Names<RouteRequest> = {
  edges: true,
  affinities: true,
  areas: true,
  fragments: true,
  whole: true,
  groups: true,
  labels: true,
  size: true,
  offset: true,
  voxelSize: true,
  sameObject: true,
  boxOf: true,
  reach: true,
};

function checkRouteRequest(request: RouteRequest): void {
  checkObject(request, "routeEdges", NAMES);
  const { edges, affinities, areas, fragments, whole, groups, labels, size, offset, voxelSize } = request;
  const { sameObject, boxOf, reach } = request;
  for (const [name, array, kind] of [
    ["edges", edges, BigUint64Array],
    ["affinities", affinities, Float64Array],
    ["areas", areas, BigUint64Array],
  ] as const) {
    if (!(array instanceof kind)) throw invalid(name, `a ${kind.name}`, describe(array));
  }
  if (edges.length !== 2 * affinities.length || areas.length !== affinities.length) {
    throw invalid(
      "edges, affinities and areas",
      "2, 1 and 1 elements per edge",
      `${edges.length}, ${affinities.length} and ${areas.length}`,
    );
  }
  const notANumber = affinities.findIndex((affinity) => !(affinity >= 0));
  if (notANumber >= 0)
    throw invalid(`affinities[${notANumber}]`, "0 or more, or Infinity", `${affinities[notANumber]}`);
  checkSize(size);
  checkBlock(labels, "labels", [BigUint64Array], size);
  checkCorner(offset, "offset", size);
  checkVoxelSize(voxelSize);
  if (!Array.isArray(fragments)) throw invalid("fragments", "the list that relabelChunks gave", describe(fragments));
  if (whole !== undefined && !(whole instanceof Map))
    throw invalid("whole", "the map that relabelChunks gave", describe(whole));
  if (!(Number.isInteger(groups) && groups >= 2))
    throw invalid("groups", "how many groups were parted, 2 or more", describe(groups));
  if (typeof sameObject !== "function") throw invalid("sameObject", "a function of an id", describe(sameObject));
  if (boxOf !== undefined && typeof boxOf !== "function")
    throw invalid("boxOf", "a function of an id", describe(boxOf));
  if (reach !== undefined && !(typeof reach === "number" && reach >= 0)) {
    throw invalid("reach", "a length, 0 or more", describe(reach));
  }
}

function ascending(a: bigint, b: bigint): Pair {
  return a < b ? [a, b] : [b, a];
}

function idsOf(fragments: readonly Fragment[]): bigint[] {
  return fragments.map(({ id }) => id);
}

type Pair = readonly [bigint, bigint];

/** Infinite edges between two split supervoxels: per side what touches, else what is nearest. */
function pairsOfSides(mine: readonly Fragment[], theirs: readonly Fragment[], places: Places): Pair[] {
  const sides = [...new Set(mine.map(({ side }) => side))].filter((side) =>
    theirs.some((other) => other.side === side),
  );
  if (sides.length === 0) return [places.closestPair(mine, theirs)];
  return sides.flatMap((side) => {
    const [ours, others] = [mine, theirs].map((list) => list.filter((fragment) => fragment.side === side)) as [
      Fragment[],
      Fragment[],
    ];
    const touching = ours.flatMap(({ id }) =>
      others.filter((other) => places.contact(id, other.id) > 0).map((other): Pair => [id, other.id]),
    );
    return touching.length > 0 ? touching : [places.closestPair(ours, others)];
  });
}

/** Finite edges within one object: per partner all fragments within reach, else the nearest. */
function pairsInReach(mine: readonly Fragment[], partners: readonly bigint[], places: Places, reach: number): Pair[] {
  return partners.flatMap((partner) => {
    const near = mine.filter(({ id }) => places.distance(id, partner) < reach);
    const chosen = near.length > 0 ? idsOf(near) : [places.closest(mine, partner)];
    return chosen.map((id): Pair => [id, partner]);
  });
}

/** Distances, asked for once each. */
class Places {
  private readonly request: RouteRequest;
  private readonly surfaces: Surfaces;
  private readonly known = new Map<string, number>();

  constructor(request: RouteRequest, surfaces: Surfaces) {
    this.request = request;
    this.surfaces = surfaces;
  }

  contact(a: bigint, b: bigint): number {
    return this.surfaces.contact(a, b);
  }

  /** Physical distance between a fragment and a partner, which may lie outside of the block. */
  distance(fragment: bigint, partner: bigint): number {
    const key = `${fragment},${partner}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const mine = this.surfaces.points.get(fragment);
    if (mine === undefined) {
      const message = `fragments names ${fragment}, which has no voxel in labels; give the block as relabelChunks left it`;
      throw new VoxelSplitError("INVALID_ARGUMENT", message, { argument: "fragments", fragment });
    }
    const theirs = this.surfaces.points.get(partner);
    const box = theirs === undefined ? this.boxOf(partner) : undefined;
    if (theirs === undefined && box === undefined) {
      const message = `supervoxel ${partner} has no voxel in the block, and boxOf does not say where it lies`;
      throw new VoxelSplitError("UNKNOWN_PLACE", message, { partner });
    }
    const distance = theirs ? mine.distanceTo(theirs) : mine.distanceToBox(box!, this.request.voxelSize);
    this.known.set(key, distance);
    return distance;
  }

  /** Where a partner lies, seen from the block's first voxel. */
  private boxOf(partner: bigint): VoxelBox | undefined {
    const { boxOf, offset } = this.request;
    const box = boxOf?.(partner);
    if (box === undefined) return undefined;
    const name = `boxOf(${partner})`;
    if (typeof box !== "object" || box === null) throw invalid(name, "a box { begin, size }", describe(box));
    checkSize(box.size, `${name}.size`);
    checkCorner(box.begin, `${name}.begin`, box.size);
    return { begin: box.begin.map((at, axis) => at - offset[axis]!) as unknown as Xyz, size: box.size };
  }

  /** The fragment that touches the partner most; if none does the nearest, of equals the one with the smallest id. */
  closest(fragments: readonly Fragment[], partner: bigint): bigint {
    return [...fragments].sort((a, b) => this.compare(a.id, partner, b.id, partner))[0]!.id;
  }

  closestPair(mine: readonly Fragment[], theirs: readonly Fragment[]): Pair {
    const pairs = mine.flatMap(({ id }) => theirs.map((other): Pair => [id, other.id]));
    return pairs.sort((p, q) => this.compare(p[0], p[1], q[0], q[1]))[0]!;
  }

  private compare(a: bigint, b: bigint, c: bigint, d: bigint): number {
    return (
      this.contact(c, d) - this.contact(a, b) ||
      this.distance(a, b) - this.distance(c, d) ||
      (a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1)
    );
  }
}

/** Rows of an edge table, each once. */
class RowSet {
  private readonly rows = new Map<string, { a: bigint; b: bigint; affinity: number; area: bigint }>();

  add(from: bigint, to: bigint, affinity: number, area: bigint): void {
    const [a, b] = ascending(from, to);
    this.rows.set(`${a},${b},${affinity},${area}`, { a, b, affinity, area });
  }

  table(): EdgeTable {
    const rows = [...this.rows.values()].sort((p, q) =>
      p.a !== q.a
        ? p.a < q.a
          ? -1
          : 1
        : p.b !== q.b
          ? p.b < q.b
            ? -1
            : 1
          : p.affinity - q.affinity || (p.area < q.area ? -1 : 1),
    );
    return {
      edges: BigUint64Array.from(rows.flatMap(({ a, b }) => [a, b])),
      affinities: Float64Array.from(rows, ({ affinity }) => affinity),
      areas: BigUint64Array.from(rows, ({ area }) => area),
    };
  }
}
