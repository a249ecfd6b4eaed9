import { type GraphErrorCode, isGraphError } from "@pcg/chunkedgraph";
import { isRowStoreError } from "@pcg/rowstore";
import { JsonSyntaxError } from "./json-parse.ts";

/** Statuses the server answers with; never 429, 503 or 504, which make clients send an edit again. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 416 | 500 | 501 | 507;

/** A request that is answered with `{"code": status, "message": …}`. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: ErrorStatus;
  /** Stable word for programs, e.g. `same-object`; absent when the status says it all. */
  readonly reason: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ErrorStatus,
    message: string,
    options: { reason?: string; cause?: unknown; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, { cause: options.cause });
    this.status = status;
    this.reason = options.reason;
    this.headers = options.headers ?? {};
  }
}

/** Refusals of the graph; what is missing here is a fault of the server (500). */
const GRAPH_STATUS: Partial<Record<GraphErrorCode, ErrorStatus>> = {
  "unknown-id": 404,
  "wrong-layer": 400,
  "outside-volume": 400,
  "no-supervoxel": 400,
  "same-supervoxel": 400,
  "same-object": 400,
  "too-far": 400,
  "too-large": 413,
  superseded: 400,
  busy: 409,
  "clock-behind": 409,
  "ids-exhausted": 409,
  "invalid-argument": 400,
};

/** What to answer when a handler threw; `undefined` when the fault is ours (500, details only in the log). */
export function asHttpError(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  if (error instanceof JsonSyntaxError) return new HttpError(400, `the body is not JSON: ${error.message}`);
  if (isGraphError(error)) {
    const status = GRAPH_STATUS[error.code];
    if (status !== undefined) return new HttpError(status, error.message, { reason: error.code, cause: error });
  }
  if (isRowStoreError(error, "WRITE_FAILED")) return new HttpError(507, error.message, { cause: error });
  return undefined;
}

/** The error document. Neuroglancer shows `message` only when the type is exactly `application/json`. */
export function errorResponse(error: HttpError): Response {
  const body = { code: error.status, message: error.message, ...(error.reason && { reason: error.reason }) };
  return new Response(JSON.stringify(body), {
    status: error.status,
    headers: { ...error.headers, "Content-Type": "application/json" },
  });
}
