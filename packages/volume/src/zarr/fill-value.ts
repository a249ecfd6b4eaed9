/**
 * Fill values between JSON and voxels.
 * @module
 */
import type { DataType } from "../contract.ts";
import { bytesPerVoxel, integerRange } from "../data-type.ts";
import { VolumeError } from "../errors.ts";

/**
 * The fill value of an array; `null` and an absent one (zarr v2) mean 0.
 * @param value as `parseExactJson` gives it
 * @param key the metadata object, for messages
 */
export function parseFillValue(value: unknown, dataType: DataType, key: string): number | bigint {
  const range = integerRange(dataType);
  const wide = bytesPerVoxel(dataType) === 8 && range !== undefined;
  if (value === undefined || value === null) return wide ? 0n : 0;
  if (range === undefined) return parseFloatFill(value, dataType, key);
  const exact = exactInteger(value);
  if (exact === undefined || exact < range[0] || exact > range[1]) {
    throw badFill(value, `${dataType} needs a whole number from ${range[0]} to ${range[1]}`, key);
  }
  return wide ? exact : Number(exact);
}

/** The JSON form of a fill value, for `stringifyExactJson`. */
export function fillValueToJson(value: number | bigint): number | bigint | string {
  if (typeof value === "bigint" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function exactInteger(value: unknown): bigint | undefined {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return undefined;
}

function parseFloatFill(value: unknown, dataType: DataType, key: string): number {
  if (typeof value === "number") return value;
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "string") {
    if (/^-?\d{1,400}$/.test(value)) return Number(value);
    // Zarr v3 writes other NaNs as their bits.
    const digits = 2 * bytesPerVoxel(dataType);
    if (new RegExp(`^0x[0-9a-fA-F]{${digits}}$`).test(value)) {
      const view = new DataView(new ArrayBuffer(8));
      view.setBigUint64(0, BigInt(value) << BigInt(64 - 4 * digits));
      return dataType === "float32" ? view.getFloat32(0) : view.getFloat64(0);
    }
  }
  throw badFill(value, `${dataType} needs a number, "NaN", "Infinity", "-Infinity" or its bits as "0x…"`, key);
}

function badFill(value: unknown, needed: string, key: string): VolumeError {
  return new VolumeError("BAD_METADATA", `fill_value of ${key} is ${JSON.stringify(value)}; ${needed}`, { key });
}
