/**
 * Values of options on the command line, for every command that takes such.
 * @module
 */
import { InvalidArgumentError } from "commander";

/** Voxels along x, y and z. @throws InvalidArgumentError, which commander reports with the option's name */
export function parseXyz(text: string): [number, number, number] {
  if (!/^[1-9]\d{0,8},[1-9]\d{0,8},[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError("expected three whole numbers from 1 up, like 128,128,64");
  }
  return text.split(",").map(Number) as [number, number, number];
}

/** A number of things, like threads. @throws InvalidArgumentError */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 to 999");
  return Number(text);
}

/** Bytes, also in kibibytes (`k`) to tebibytes (`T`). @throws InvalidArgumentError */
export function parseBytes(text: string): number {
  const match = /^([1-9]\d{0,14})([kMGT]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("expected bytes, like 2000000000, 512M or 2G");
  return Number(match[1]) * 1024 ** ["", "k", "M", "G", "T"].indexOf(match[2]!);
}
