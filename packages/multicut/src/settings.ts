import { describe, type Names } from "./arguments.ts";
import { MulticutError } from "./errors.ts";
import { checkGroups, checkInput, checkPairs } from "./input.ts";

/** What to cut, and how. */
export interface MulticutInput {
  /** Pairs of supervoxels, 2E ids, in any order and direction; parallel rows add up. */
  readonly edges: BigUint64Array;
  /** One per pair: 0, 1e-200 … 1e200, or Infinity for two supervoxels that must stay together. */
  readonly affinities: Float64Array | Float32Array;
  /** Labelled supervoxels per group. One group is cut out of its surroundings, two or more are parted from each other. */
  readonly groups: readonly BigUint64Array[];
  /**
   * `"augmented"` (default): paths between the labels of a group hold it together. `"direct"`: the lightest cut between the
   * labels, refused if it tears a group apart.
   */
  readonly mode?: "augmented" | "direct";
  /** Refuse cuts that take off the given points alone. Default true. */
  readonly disallowIsolating?: boolean;
  /** Answer with the cut that would be made, legal or not, as `preview`. Default false. */
  readonly preview?: boolean;
  /**
   * Whether the caller can split supervoxels. `"whenNamed"` (default): `svSplitRequired` where it can name what to split;
   * `"always"`: wherever upstream asks for a split, so also where no path connects a group (augmented mode) and where the
   * cut tears one apart; `"never"`: `rejected` instead.
   */
  readonly svSplit?: "whenNamed" | "always" | "never";
  /** Pairs of supervoxels that stay together. */
  readonly mustJoin?: BigUint64Array;
  /** Pairs of supervoxels that end on the sides of different groups. Every way round is tried: at most 64 of them. */
  readonly mustCut?: BigUint64Array;
  /** Add what holds the groups together and the edges that carry the flow. Default false. */
  readonly explain?: boolean;
  /** How many other cuts to look for. Default 0. */
  readonly alternatives?: number;
}

/** {@link MulticutInput}, for a cut that can be stopped. */
export interface MulticutAsyncInput extends MulticutInput {
  /** Looked at between solves. */
  readonly signal?: AbortSignal;
}

/** The options, checked, with defaults. */
export type Settings = Required<Omit<MulticutInput, "edges" | "affinities" | "groups" | "mustJoin" | "mustCut">>;

export const NAMES: Names<MulticutInput> = {
  edges: true,
  affinities: true,
  groups: true,
  mode: true,
  disallowIsolating: true,
  preview: true,
  svSplit: true,
  mustJoin: true,
  mustCut: true,
  explain: true,
  alternatives: true,
};

export const ASYNC_NAMES: Names<MulticutAsyncInput> = { ...NAMES, signal: true };

const MAX_ALTERNATIVES = 100;

/** Checks everything but the edge list and the signal. */
export function readSettings<Input extends MulticutInput>(input: Input, call: string, names: Names<Input>): Settings {
  checkInput(input, call, names);
  checkGroups(input.groups);
  for (const name of ["mustJoin", "mustCut"] as const) {
    const pairs = input[name];
    if (pairs !== undefined) checkPairs(pairs, name);
  }
  // Only undefined stands for a default: null is a mistake.
  const {
    mode = "augmented",
    svSplit = "whenNamed",
    disallowIsolating = true,
    preview = false,
    explain = false,
    alternatives = 0,
  } = input;
  return {
    mode: oneOf(mode, "mode", ["augmented", "direct"]),
    svSplit: oneOf(svSplit, "svSplit", ["whenNamed", "always", "never"]),
    disallowIsolating: flag(disallowIsolating, "disallowIsolating"),
    preview: flag(preview, "preview"),
    explain: flag(explain, "explain"),
    alternatives: howMany(alternatives),
  };
}

function oneOf<T extends string>(value: T, name: string, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new MulticutError(
    "INVALID_OPTION",
    `${name} must be ${allowed.map((v) => `"${v}"`).join(" or ")}, got ${describe(value)}`,
  );
}

function flag(value: boolean, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw new MulticutError("INVALID_OPTION", `${name} must be true or false, got ${describe(value)}`);
}

function howMany(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_ALTERNATIVES) return value;
  throw new MulticutError(
    "INVALID_OPTION",
    `alternatives must be a whole number from 0 to ${MAX_ALTERNATIVES}, got ${describe(value)}`,
    { limit: MAX_ALTERNATIVES },
  );
}
