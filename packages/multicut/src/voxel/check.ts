/**
 * Checks of arguments: each refusal names the argument, what it is, and what it has to be.
 * @module
 */
import type { Size } from "@pcg/kernels";
import { describe, findUnknown, isAbortSignal, type Names } from "../arguments.ts";
import type { SplitRequest, Xyz } from "./contract.ts";
import { VoxelSplitError } from "./error.ts";

/** The most groups: sides are bytes, one of them 0, one of them the rest. */
const MOST_GROUPS = 254;
/** Voxels are numbered by 32-bit integers. */
const MOST_VOXELS = 2 ** 31;
/** Positions this far from 0 and their sums and differences are exact, and a fraction of a voxel is still told. */
const MOST_POSITION = 2 ** 50;
/** Squares and volumes of such lengths are far from the ends of a double. */
const [LEAST_LENGTH, MOST_LENGTH] = [1e-30, 1e30];
/** Beyond, steps along the axes differ by more than the searches' queue can tell apart. */
const MOST_RATIO = 100;

/** An argument that is not what it has to be: `INVALID_ARGUMENT`. */
export function invalid(argument: string, expected: string, found: string): VoxelSplitError {
  return new VoxelSplitError("INVALID_ARGUMENT", `${argument} must be ${expected}, got ${found}`, { argument });
}

/** A request must be one object that holds the arguments, and none but those of `names`. */
export function checkObject<Request extends object>(request: Request, call: string, names: Names<Request>): void {
  if (typeof request !== "object" || request === null) {
    throw invalid(`the argument of ${call}`, "an object that holds the arguments by name", describe(request));
  }
  const argument = findUnknown(request, names);
  if (argument === undefined) return;
  const message = `${call} has no argument ${JSON.stringify(argument)}; it takes ${Object.keys(names).join(", ")}`;
  throw new VoxelSplitError("INVALID_ARGUMENT", message, { argument });
}

/** Voxels of a box. */
export function checkSize(size: unknown, argument = "size"): number {
  const [sx, sy, sz] = checkTriple(size, argument, "whole numbers above 0", (a) => Number.isInteger(a) && a > 0);
  const voxels = sx * sy * sz;
  if (voxels < MOST_VOXELS) return voxels;
  throw invalid(argument, "a box of fewer than 2^31 voxels (crop it)", `${sx}×${sy}×${sz}`);
}

/** Physical lengths. */
export function checkVoxelSize(voxelSize: unknown): void {
  const sides = checkTriple(voxelSize, "voxelSize", "finite lengths above 0", (a) => Number.isFinite(a) && a > 0);
  const [least, most] = [Math.min(...sides), Math.max(...sides)];
  const found = `[${sides.join(", ")}]`;
  if (least < LEAST_LENGTH || most > MOST_LENGTH) {
    throw invalid("voxelSize", `from ${LEAST_LENGTH} to ${MOST_LENGTH} (choose another unit)`, found);
  }
  if (most / least > MOST_RATIO) {
    const expected = `sides that differ by ${MOST_RATIO} times at most (pool or resample the finer axis)`;
    throw invalid("voxelSize", expected, `${found}, which differ by ${(most / least).toPrecision(4)} times`);
  }
}

/** Whole voxels, absolute; with `size` the first voxel of a box that must end in bounds too. */
export function checkCorner(corner: unknown, argument: string, size: Xyz = [0, 0, 0]): void {
  const at = checkTriple(corner, argument, "whole numbers", Number.isInteger);
  if (at.every((a, axis) => a >= -MOST_POSITION && a + size[axis]! <= MOST_POSITION)) return;
  const box = size.some((length) => length > 0) ? `, for a box of ${size.join("×")} voxels` : "";
  throw invalid(
    argument,
    "so that all positions lie from -2^50 to 2^50, where they are exact (shift the frame)",
    `[${at.join(", ")}]${box}`,
  );
}

/** An array of one of `kinds`, with an element per voxel of the box. */
export function checkBlock(
  block: unknown,
  argument: string,
  kinds: readonly (new (length: number) => ArrayLike<number | bigint>)[],
  size: Size,
): void {
  if (!kinds.some((kind) => block instanceof kind)) {
    throw invalid(argument, `a ${kinds.map(({ name }) => name).join(" or ")}`, describe(block));
  }
  const { length } = block as Uint8Array;
  const voxels = size[0] * size[1] * size[2];
  if (length === voxels) return;
  throw new VoxelSplitError(
    "INVALID_ARGUMENT",
    `${argument} has ${length} elements, a box of ${size.join("×")} voxels has ${voxels}`,
    { argument, length, voxels },
  );
}

const NAMES: Names<SplitRequest> = {
  mask: true,
  labels: true,
  ids: true,
  size: true,
  seeds: true,
  voxelSize: true,
  offset: true,
  method: true,
  weights: true,
  snapDistance: true,
  band: true,
  signal: true,
  onProgress: true,
};

/** `INVALID_ARGUMENT` for a request to split that makes no sense whatever the object; `NO_SEEDS` for an empty group. */
export function checkSplitRequest(request: SplitRequest): void {
  checkObject(request, "splitVoxels", NAMES);
  const { size, voxelSize, offset, labels, ids, mask, weights, method, band, snapDistance } = request;
  const { signal, onProgress } = request;
  checkSize(size);
  checkVoxelSize(voxelSize);
  if (offset !== undefined) checkCorner(offset, "offset", size);
  if (mask !== undefined && (labels !== undefined || ids !== undefined)) {
    throw invalid("mask", "given alone, or else labels and ids", `mask and ${labels === undefined ? "ids" : "labels"}`);
  }
  if (mask !== undefined) checkBlock(mask, "mask", [Uint8Array], size);
  else checkLabels(labels, ids, size);
  if (weights !== undefined) checkBlock(weights, "weights", [Uint8Array], size);
  checkSeeds(request.seeds);
  if (method !== undefined && method !== "banded" && method !== "geodesic") {
    throw invalid("method", '"banded" or "geodesic"', JSON.stringify(method) ?? describe(method));
  }
  if (band !== undefined && !(typeof band === "number" && band > 0 && band < 1)) {
    throw invalid("band", "a number above 0 and below 1", describe(band));
  }
  if (snapDistance !== undefined && !(typeof snapDistance === "number" && snapDistance >= 0)) {
    throw invalid("snapDistance", "a length, 0 or more", describe(snapDistance));
  }
  if (signal !== undefined && !isAbortSignal(signal)) throw invalid("signal", "an AbortSignal", describe(signal));
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalid("onProgress", "a function of the progress", describe(onProgress));
  }
}

function checkLabels(labels: unknown, ids: unknown, size: Size): void {
  if (labels === undefined) throw invalid("mask", "given, or else labels and ids", "neither");
  checkBlock(labels, "labels", [BigUint64Array, Uint32Array], size);
  if (!(ids instanceof BigUint64Array)) {
    throw invalid("ids", "a BigUint64Array (also for 32-bit labels)", describe(ids));
  }
  if (ids.includes(0n)) throw invalid("ids", "without 0, which is background", "0 among them");
}

function checkSeeds(seeds: unknown): void {
  const shape = "a list of 2 or more groups, each a list of positions [x, y, z]";
  if (!Array.isArray(seeds)) throw invalid("seeds", shape, describe(seeds));
  if (seeds.length < 2 || seeds.length > MOST_GROUPS) {
    throw invalid("seeds", `2 to ${MOST_GROUPS} groups`, `${seeds.length}`);
  }
  for (const [group, positions] of seeds.entries()) {
    const name = `seeds[${group}]`;
    if (!Array.isArray(positions)) throw invalid(name, "a list of positions [x, y, z]", describe(positions));
    if (positions.length === 0) {
      throw new VoxelSplitError("NO_SEEDS", `${name} is empty; each group needs a seed`, { group });
    }
    for (const [seed, position] of positions.entries()) {
      if (typeof position === "number") {
        throw invalid(
          name,
          "a list of positions [x, y, z]",
          `the number ${position} in it: one list too few around it`,
        );
      }
      checkTriple(position, `${name}[${seed}]`, "finite numbers of absolute voxels", Number.isFinite);
    }
  }
}

/** Three numbers, in an array or a typed array. */
function checkTriple(
  value: unknown,
  argument: string,
  kind: string,
  fits: (a: number) => boolean,
): readonly [number, number, number] {
  const expected = `three ${kind} [x, y, z]`;
  if (!Array.isArray(value) && !(ArrayBuffer.isView(value) && "length" in value)) {
    throw invalid(argument, expected, describe(value));
  }
  const numbers = Array.from(value as ArrayLike<unknown>);
  if (numbers.length === 3 && numbers.every((a) => typeof a === "number" && fits(a))) {
    return numbers as [number, number, number];
  }
  throw invalid(
    argument,
    expected,
    `[${numbers.map((a) => (typeof a === "object" ? describe(a) : String(a))).join(", ")}]`,
  );
}
