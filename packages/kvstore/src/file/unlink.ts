import { unlinkSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** Removes a name, which somebody else may have done before. @returns whether it was there. */
export function unlinkIfThere(path: Buffer): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
