import type { Time } from "../contract.ts";
import { halves, sortedDistinct } from "../ids.ts";
import type { ViewContext } from "./context.ts";
import { IdIndex, type Place } from "./id-table.ts";
import { readPlaces } from "./node-reader.ts";

/** Parents of distinct ascending ids at a time: halves of the parent (0: root), and whether the id existed. */
interface Places {
  readonly parents: Uint32Array;
  readonly exists: Uint8Array;
}

/**
 * The lowest ancestor of each id at or above `stopLayer`; 0 for what did not exist. What is remembered is followed id by
 * id; what is not is read once per round for all ids, so there are at most as many rounds as layers.
 */
export async function climb(
  context: ViewContext,
  ids: BigUint64Array,
  stopLayer: number,
  time: Time,
  signal?: AbortSignal,
): Promise<BigUint64Array> {
  const result = ids.slice();
  const half = halves(result);
  const limit = Number(time);
  const place: Place = { parentLow: 0, parentHigh: 0, since: 0 };
  let pending = nodesAmong(context, result);
  /** The first look-up of an id also proves that it exists, whatever its layer. */
  let first = true;
  while (pending.length > 0) {
    let waiting = 0;
    for (const i of pending) {
      let low = half[2 * i]!;
      let high = half[2 * i + 1]!;
      let proven = !first;
      for (;;) {
        if (proven && high >>> 24 >= stopLayer) break;
        if (!context.places.get(low, high, place) || place.since > limit) {
          pending[waiting++] = i;
          break;
        }
        proven = true;
        if (high >>> 24 >= stopLayer || (place.parentLow === 0 && place.parentHigh === 0)) break;
        low = place.parentLow;
        high = place.parentHigh;
      }
      half[2 * i] = low;
      half[2 * i + 1] = high;
    }
    pending = pending.subarray(0, waiting);
    first = false;
    if (waiting === 0) break;
    signal?.throwIfAborted();
    const wanted = sortedDistinct(BigUint64Array.from(pending, (i) => result[i]!));
    const { parents, exists } = await placesAt(context, wanted, time, signal);
    const index = new IdIndex(wanted);
    waiting = 0;
    for (const i of pending) {
      const at = index.of(half[2 * i]!, half[2 * i + 1]!);
      if (exists[at] === 0) {
        half[2 * i] = 0;
        half[2 * i + 1] = 0;
      } else if (half[2 * i + 1]! >>> 24 < stopLayer && (parents[2 * at] !== 0 || parents[2 * at + 1] !== 0)) {
        half[2 * i] = parents[2 * at]!;
        half[2 * i + 1] = parents[2 * at + 1]!;
        if (half[2 * i + 1]! >>> 24 < stopLayer) pending[waiting++] = i;
      }
    }
    pending = pending.subarray(0, waiting);
  }
  return result;
}

/** Direct parents of ids in any order (0: a root, or it did not exist), and which ids existed. */
export async function parentsOf(
  context: ViewContext,
  ids: BigUint64Array,
  time: Time,
  signal?: AbortSignal,
): Promise<{ readonly parents: BigUint64Array; readonly exists: Uint8Array }> {
  const parents = new BigUint64Array(ids.length);
  const exists = new Uint8Array(ids.length);
  const copy = ids.slice();
  const half = halves(copy);
  const parentHalf = halves(parents);
  const place: Place = { parentLow: 0, parentHigh: 0, since: 0 };
  const pending = nodesAmong(context, copy);
  let waiting = 0;
  for (const i of pending) {
    if (!context.places.get(half[2 * i]!, half[2 * i + 1]!, place) || place.since > Number(time)) {
      pending[waiting++] = i;
      continue;
    }
    exists[i] = 1;
    parentHalf[2 * i] = place.parentLow;
    parentHalf[2 * i + 1] = place.parentHigh;
  }
  if (waiting === 0) return { parents, exists };
  const missing = pending.subarray(0, waiting);
  const wanted = sortedDistinct(BigUint64Array.from(missing, (i) => copy[i]!));
  const read = await placesAt(context, wanted, time, signal);
  const index = new IdIndex(wanted);
  for (const i of missing) {
    const at = index.of(half[2 * i]!, half[2 * i + 1]!);
    exists[i] = read.exists[at]!;
    parentHalf[2 * i] = read.parents[2 * at]!;
    parentHalf[2 * i + 1] = read.parents[2 * at + 1]!;
  }
  return { parents, exists };
}

/** Positions of the ids that can be nodes of this graph; the others become 0. */
function nodesAmong(context: ViewContext, ids: BigUint64Array): Uint32Array {
  const positions = new Uint32Array(ids.length);
  const half = halves(ids);
  const { layers } = context.settings;
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    const layer = half[2 * i + 1]! >>> 24;
    if (layer >= 1 && layer <= layers) positions[count++] = i;
    else half[2 * i] = half[2 * i + 1] = 0;
  }
  return positions.subarray(0, count);
}

/**
 * Reads places. They are read as of the cache's time and remembered; only those that changed after `time` are read
 * again as of `time`.
 */
async function placesAt(
  context: ViewContext,
  wanted: BigUint64Array,
  time: Time,
  signal: AbortSignal | undefined,
): Promise<Places> {
  const { rows, settings, places } = context;
  const half = halves(wanted);
  const parents = new Uint32Array(2 * wanted.length);
  const exists = new Uint8Array(wanted.length);
  const asOf = places.time;
  const limit = Number(time);
  const keep = (i: number, place: Place): void => {
    parents[2 * i] = place.parentLow;
    parents[2 * i + 1] = place.parentHigh;
    exists[i] = 1;
  };
  const later: number[] = [];
  await readPlaces(
    rows,
    settings.layers,
    wanted,
    asOf,
    (i, place) => {
      places.add(half[2 * i]!, half[2 * i + 1]!, place, asOf);
      if (place.since <= limit) keep(i, place);
      else later.push(i);
    },
    { signal },
  );
  if (later.length > 0) {
    const changed = BigUint64Array.from(later, (i) => wanted[i]!);
    await readPlaces(rows, settings.layers, changed, time, (k, place) => keep(later[k]!, place), { signal });
  }
  return { parents, exists };
}
