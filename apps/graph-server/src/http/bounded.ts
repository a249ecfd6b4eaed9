import { isGraphError } from "@pcg/chunkedgraph";
import type { Box } from "@pcg/volume";
import { HttpError } from "./errors.ts";

/** What a client asks for, and the most it gets. */
export interface Extent {
  readonly limit: number;
  readonly box?: Box | undefined;
  /** What to do when it is too much; default: give (smaller) bounds. */
  readonly remedy?: string;
}

/**
 * Reads a part of an object that fits into one answer.
 * @throws HttpError 413 with the limit and the remedy when it does not
 */
export async function bounded<T>(
  { limit, box, remedy }: Extent,
  read: (part: { readonly limit: number; readonly box?: Box }) => Promise<T>,
): Promise<T> {
  try {
    return await read(box === undefined ? { limit } : { limit, box });
  } catch (error) {
    if (!isGraphError(error, "too-large")) throw error;
    const advice =
      remedy ?? `give ${box === undefined ? "bounds" : "smaller bounds"}: bounds=x0-x1_y0-y1_z0-z1, in voxels`;
    throw new HttpError(
      413,
      `more than ${limit} ${error.fields.what}, the most in one answer (/api/limits); ${advice}`,
      {
        reason: error.code,
        cause: error,
      },
    );
  }
}
