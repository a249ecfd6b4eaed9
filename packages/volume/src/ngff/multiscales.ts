/**
 * OME-NGFF multiscales metadata, versions 0.4 and 0.5, from and to JSON. Nothing here touches storage.
 *
 * Versions differ in where the metadata stands: 0.4 has `multiscales` and `image-label` as attributes of a zarr v2 group,
 * 0.5 has them in the attribute `ome` of a zarr v3 group, where `version` stands once beside them.
 * @module
 */
import { asArray, asObject, asString, at, bad, type JsonObject, unsupported } from "../zarr/checks.ts";

export type NgffVersion = "0.4" | "0.5";

export interface NgffAxis {
  readonly name: string;
  readonly type: "space" | "channel" | "time";
  readonly unit?: string;
}

/** One level: where its array is, and the composed transformation from array index to physical position, by axis. */
export interface NgffDataset {
  readonly path: string;
  readonly scale: readonly number[];
  readonly translation: readonly number[];
}

export interface Multiscales {
  readonly name: string | undefined;
  /** In the order of the arrays' dimensions. */
  readonly axes: readonly NgffAxis[];
  /** Finest first. */
  readonly datasets: readonly NgffDataset[];
  /** Whether it is marked as labels. */
  readonly isLabel: boolean;
}

/**
 * The first multiscales of a group, or `undefined` when its attributes have none.
 * @param key of the metadata object, for messages
 */
export function parseMultiscales(attributes: JsonObject, key: string): Multiscales | undefined {
  const ome = attributes.ome === undefined ? attributes : asObject(attributes.ome, at(key, "ome"));
  if (ome.multiscales === undefined) return undefined;
  const list = asArray(ome.multiscales, at(key, "multiscales"));
  const first = asObject(list[0], at(key, "multiscales[0]"));
  checkVersion(ome.version ?? first.version, key);
  const axes = parseAxes(first.axes, key);
  const outer = parseTransformations(first.coordinateTransformations ?? [], axes.length, key);
  const datasets = asArray(first.datasets, at(key, "datasets")).map((value) => {
    const dataset = asObject(value, at(key, "datasets"));
    const inner = parseTransformations(dataset.coordinateTransformations ?? [], axes.length, key);
    return { path: parsePath(dataset.path, key), ...compose(inner, outer) };
  });
  if (datasets.length === 0) throw bad([], at(key, "datasets"), "at least one dataset");
  return {
    name: typeof first.name === "string" ? first.name : undefined,
    axes,
    datasets,
    isLabel: ome["image-label"] !== undefined,
  };
}

/** The attributes of a group with these multiscales. */
export function buildMultiscales(multiscales: Multiscales, version: NgffVersion): JsonObject {
  const entry = {
    ...(version === "0.4" && { version }),
    ...(multiscales.name !== undefined && { name: multiscales.name }),
    axes: multiscales.axes,
    datasets: multiscales.datasets.map(({ path, scale, translation }) => ({
      path,
      coordinateTransformations: [
        { type: "scale", scale },
        ...(translation.some((offset) => offset !== 0) ? [{ type: "translation", translation }] : []),
      ],
    })),
  };
  const label = version === "0.4" ? { version } : {};
  const members = { multiscales: [entry], ...(multiscales.isLabel && { "image-label": label }) };
  return version === "0.4" ? members : { ome: { version, ...members } };
}

function checkVersion(version: unknown, key: string): void {
  // Absent or older versions whose axes are objects read like 0.4; what is newer may mean something else.
  if (version === undefined || version === "0.3" || version === "0.4" || /^0\.5(\.|-|$)/.test(String(version))) return;
  throw unsupported(`OME-NGFF version ${JSON.stringify(version)}`, key, "0.4, 0.5");
}

function parseAxes(value: unknown, key: string): readonly NgffAxis[] {
  const axes = asArray(value, at(key, "axes")).map((entry): NgffAxis => {
    // Version 0.3 had names alone.
    if (typeof entry === "string") return { name: entry, type: typeOfName(entry) };
    const axis = asObject(entry, at(key, "axes"));
    const name = asString(axis.name, at(key, "name of an axis"));
    const type = axis.type ?? typeOfName(name);
    if (type !== "space" && type !== "channel" && type !== "time") {
      throw unsupported(`Axis ${JSON.stringify(name)} of type ${JSON.stringify(type)}`, key, "space, channel, time");
    }
    return { name, type, ...(typeof axis.unit === "string" && { unit: axis.unit }) };
  });
  const names = axes.map((axis) => axis.name);
  if (new Set(names).size !== names.length) throw bad(names, at(key, "axes"), "different names");
  return axes;
}

function typeOfName(name: string): NgffAxis["type"] {
  return name === "t" ? "time" : name === "c" ? "channel" : "space";
}

/** Dataset paths come from the file: they must stay inside the group. */
function parsePath(value: unknown, key: string): string {
  const path = asString(value, at(key, "path of a dataset")).replace(/^\/+|\/+$/g, "");
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw bad(value, at(key, "path of a dataset"), "the path of an array inside the group");
  }
  return path;
}

interface Transformation {
  readonly scale: readonly number[];
  readonly translation: readonly number[];
}

/** All transformations of a list, applied in its order, as one scale and a translation after it. */
function parseTransformations(value: unknown, rank: number, key: string): Transformation {
  let result: Transformation = { scale: new Array(rank).fill(1), translation: new Array(rank).fill(0) };
  for (const entry of asArray(value, at(key, "coordinateTransformations"))) {
    const { type, ...members } = asObject(entry, at(key, "coordinateTransformations"));
    const step = { scale: new Array(rank).fill(1), translation: new Array(rank).fill(0) };
    if (type === "scale" || type === "translation") {
      const list = asArray(members[type], at(key, type));
      const good = list.every((n) => typeof n === "number" && Number.isFinite(n) && (type === "translation" || n > 0));
      if (!good || list.length !== rank) {
        const expected = `${rank} finite numbers${type === "scale" ? " above 0" : ""}, one for each axis`;
        throw bad(members[type], at(key, type), expected);
      }
      step[type] = list as number[];
    } else if (type !== "identity") {
      throw unsupported(`Coordinate transformation ${JSON.stringify(type)}`, key, "scale, translation, identity");
    }
    result = compose(result, step);
  }
  return result;
}

/** First `inner`, then `outer`. */
function compose(inner: Transformation, outer: Transformation): Transformation {
  return {
    scale: inner.scale.map((scale, axis) => scale * outer.scale[axis]!),
    translation: inner.translation.map((offset, axis) => offset * outer.scale[axis]! + outer.translation[axis]!),
  };
}
