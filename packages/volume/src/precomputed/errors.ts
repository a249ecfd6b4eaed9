import { isPrecomputedError, type PrecomputedErrorCode } from "neuroglancer-precomputed";
import { VolumeError, type VolumeErrorCode } from "../errors.ts";

const codes: Readonly<Record<PrecomputedErrorCode, VolumeErrorCode>> = {
  NOT_FOUND: "NOT_FOUND",
  INVALID_INFO: "BAD_METADATA",
  CORRUPT: "BAD_CHUNK",
  UNSUPPORTED: "UNSUPPORTED",
  CONFLICT: "CONFLICT",
};

/** Errors of the format package as ours, so that callers of volumes know one kind; all others unchanged. */
export function asVolumeError(error: unknown, url: string): unknown {
  if (!isPrecomputedError(error)) return error;
  const key = error.fields.key;
  return new VolumeError(codes[error.code], error.message, {
    url,
    key: typeof key === "string" ? key : undefined,
    cause: error,
  });
}
