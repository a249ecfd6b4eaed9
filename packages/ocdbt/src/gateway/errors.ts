/**
 * What goes wrong, as an HTTP answer.
 * @module
 */
import { isKvStoreError } from "@pcg/kvstore";
import { isOcdbtError } from "../errors.ts";

/**
 * Of databases and versions that are not here. To TensorStore 404 is a key that is missing: a folder without `manifest.ocdbt` would be an empty
 * database, and whoever mistypes a version reads zeros. Any other status is an error, with the message in it.
 */
export const GONE = 410;

/** A request that cannot be served as it is. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly status: number;
  /** Stable, in the answer. */
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The answer that tells of a failure, `{"error": {"code", "message"}}`. What our side did wrong is not told in detail. */
export function errorResponse(error: unknown, headers: Headers): Response {
  const { status, code, message, headers: own } = describe(error);
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  headers.set("Content-Type", "application/json");
  headers.set("Cache-Control", "no-store");
  return new Response(`${JSON.stringify({ error: { code, message } })}\n`, { status, headers });
}

function describe(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (isOcdbtError(error, "version-not-found")) return new GatewayError(GONE, error.code, error.message);
  if (isOcdbtError(error, "bad-spec")) return new GatewayError(400, error.code, error.message);
  if (isKvStoreError(error, "transient") || isOcdbtError(error, "unavailable")) {
    return new GatewayError(503, "unavailable", "the storage below does not answer at the moment; try again", {
      "Retry-After": "1",
    });
  }
  return new GatewayError(500, "failed", "the database could not be read");
}
