/**
 * Layers as the JSON of TensorStore's `kvstack` driver.
 * @module
 */
import type { Key, KeyRange } from "../contract.ts";
import { compareKeys, inRange, isEmptyRange, keyText } from "../keys.ts";
import type { OpenSpec } from "../open.ts";
import { badSpec, checkMembers, isKvStoreSpec, type KvStoreSpec, type KvStoreSpecObject } from "../spec.ts";
import {
  flattenLayers,
  type LayerSelector,
  lastNotAfter,
  layOver,
  mapSelector,
  type StackLayer,
  stripsAll,
} from "./layer.ts";

const selectors = {
  exact: "exact",
  prefix: "prefix",
  inclusive_min: "inclusiveMin",
  exclusive_max: "exclusiveMax",
} as const;
const memberNames = ["base", ...Object.keys(selectors), "strip_prefix"];

/**
 * The JSON of a stack; `undefined` when a store has none, or a key that is not UTF-8 chooses.
 *
 * TensorStore (0.1.86) takes a layer that begins behind the end of an earlier one, where nothing is mapped, for a continuation of
 * that one, and then finds keys in it that no layer maps. Stacks with such layers are written as what shows of them, from the last
 * key to the first, which it reads rightly.
 */
export function stackSpec(layers: readonly StackLayer[]): KvStoreSpecObject | undefined {
  const mapped = layers.map((layer) => ({ ...mapSelector(layer), layer }));
  const written = isReadRightly(mapped) ? layers : flattenLayers(mapped).reverse().map(selectorOfPart);
  const specs: Record<string, unknown>[] = [];
  for (const layer of written) {
    const spec = layerSpec(layer);
    if (spec === undefined) return undefined;
    specs.push(spec);
  }
  return { driver: "kvstack", layers: specs };
}

interface MappedLayer {
  readonly range: KeyRange;
  readonly strip: number;
  readonly layer: StackLayer;
}

/** Whether every layer begins within those before it, or before all of them. */
function isReadRightly(mapped: readonly MappedLayer[]): boolean {
  let below: MappedLayer[] = [];
  for (const layer of mapped) {
    const neighbour = lastNotAfter(below, layer.range.start);
    if (isEmptyRange(layer.range) || (neighbour && !inRange(layer.range.start, neighbour.range))) return false;
    below = layOver(below, layer);
  }
  return true;
}

/** A layer for what shows of one: itself when that is all. */
function selectorOfPart({ range: { start, end }, strip, layer }: MappedLayer): StackLayer {
  const whole = mapSelector(layer).range;
  const isWhole =
    compareKeys(start, whole.start) === 0 &&
    (end === undefined ? !whole.end : whole.end && !compareKeys(end, whole.end));
  if (isWhole) return layer;
  return {
    store: layer.store,
    inclusiveMin: start,
    ...(end === undefined ? {} : { exclusiveMax: end }),
    stripPrefix: strip,
  };
}

function layerSpec(layer: StackLayer): Record<string, unknown> | undefined {
  const base = layer.store.spec;
  if (base === undefined) return undefined;
  const members: Record<string, unknown> = { base };
  for (const [name, field] of Object.entries(selectors)) {
    if (layer[field] === undefined) continue;
    const text = keyText(layer[field]);
    if (text === undefined) return undefined;
    members[name] = text;
  }
  return stripsAll(layer) ? members : { ...members, strip_prefix: layer.stripPrefix };
}

/** Opens the layers of a spec, all or none. */
export async function openLayers(spec: KvStoreSpecObject, open: OpenSpec): Promise<StackLayer[]> {
  const { layers } = spec;
  if (!Array.isArray(layers)) throw badSpec(spec, '"layers" must be a list');
  const read = layers.map((layer: unknown, i) => readLayer(spec, layer, `layer ${i}`));
  const opened: StackLayer[] = [];
  try {
    for (const { base, ...selector } of read) opened.push({ ...selector, store: await open(base) });
  } catch (error) {
    await Promise.all(opened.map(({ store }) => store.close()));
    throw error;
  }
  return opened;
}

type LayerSpec = LayerSelector & { readonly base: KvStoreSpec };

function readLayer(spec: KvStoreSpecObject, layer: unknown, where: string): LayerSpec {
  if (typeof layer !== "object" || layer === null || Array.isArray(layer)) {
    throw badSpec(spec, `${where} must be an object with a "base"`);
  }
  checkMembers(spec, layer, memberNames, where);
  const { base, strip_prefix: stripPrefix } = layer as Record<string, unknown>;
  if (!isKvStoreSpec(base)) throw badSpec(spec, `the "base" of ${where} must be a kvstore spec or URL`);
  const selector: { -readonly [field in (typeof selectors)[keyof typeof selectors]]?: Key } = {};
  for (const [name, field] of Object.entries(selectors)) {
    const value = (layer as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (typeof value !== "string") throw badSpec(spec, `"${name}" of ${where} must be a string`);
    selector[field] = value;
  }
  if (stripPrefix !== undefined && typeof stripPrefix !== "number") {
    throw badSpec(spec, `"strip_prefix" of ${where} must be a number of bytes`);
  }
  const read = { ...selector, ...(stripPrefix === undefined ? {} : { stripPrefix }) };
  try {
    mapSelector(read);
  } catch (cause) {
    throw badSpec(spec, `${where}: ${(cause as Error).message}`, cause);
  }
  return { ...read, base };
}
