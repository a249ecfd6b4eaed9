/**
 * OME-NGFF length units in nanometres.
 * @module
 */
import { VolumeError } from "../errors.ts";

const nanometresPer: Readonly<Record<string, number>> = {
  yoctometer: 1e-15,
  zeptometer: 1e-12,
  attometer: 1e-9,
  femtometer: 1e-6,
  picometer: 1e-3,
  angstrom: 0.1,
  nanometer: 1,
  micrometer: 1e3,
  millimeter: 1e6,
  centimeter: 1e7,
  decimeter: 1e8,
  meter: 1e9,
  hectometer: 1e11,
  kilometer: 1e12,
  inch: 2.54e7,
  foot: 3.048e8,
  yard: 9.144e8,
  mile: 1.609344e12,
  // Not of the specification, but often written.
  nm: 1,
  um: 1e3,
  µm: 1e3,
  μm: 1e3,
  micron: 1e3,
  mm: 1e6,
  cm: 1e7,
  m: 1e9,
};

/** Nanometres per unit. An axis without a unit counts in nanometres, as there is nothing better to take. */
export function nanometresPerUnit(unit: string | undefined): number {
  if (unit === undefined) return 1;
  const factor = Object.hasOwn(nanometresPer, unit) ? nanometresPer[unit] : undefined;
  if (factor !== undefined) return factor;
  throw new VolumeError(
    "UNSUPPORTED",
    `Unit ${JSON.stringify(unit)} of a space axis is no length we know; known: ${Object.keys(nanometresPer).join(", ")}`,
  );
}
